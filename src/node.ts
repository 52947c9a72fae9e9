/** The Node entry of unnoise, on onnxruntime-node. */
export * from "./core.ts";
export { holdOut, openImages, type OpenImagesOptions } from "./data/images.node.ts";
export { loadPoints } from "./data/points.node.ts";
export { encodePlainPng, encodePng } from "./formats/png.ts";
export { exportDiffusers, exportOnnx, exportSafetensors, type ExportedModel } from "./train/diffusers/export.node.ts";
export {
  importDiffusers,
  samplingOfDiffusers,
  type DiffusersModel,
  type ImportOptions,
} from "./train/diffusers/import.node.ts";
export { sampledImages, type FeatureNet } from "./train/feature-net.ts";
export { openClassifierNet, openOnnxNet } from "./train/feature-net-file.node.ts";
export { imageScores, type ImageScoreOptions, type ImageScores } from "./train/image-scores.ts";
export type { ReferenceSplit } from "./train/reference-split.ts";
export { loadModel, saveModel } from "./train/model-folder.node.ts";
export { RunFolder } from "./train/run-folder.node.ts";
export { trainRun, type TrainRunOptions, type TrainRunResult } from "./train/train-run.node.ts";
export { framesToGif, renderFigure, svgToPng, type FigureFormat } from "./figures/render.node.ts";
