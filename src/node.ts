/** The Node entry of unnoise, on onnxruntime-node. */
export * from "./core.ts";
export { loadPoints } from "./data/points.node.ts";
export { loadModel, saveModel } from "./train/model-folder.node.ts";
export { RunFolder } from "./train/run-folder.node.ts";
export { trainRun, type TrainRunOptions, type TrainRunResult } from "./train/train-run.node.ts";
export { framesToGif, renderFigure, svgToPng, type FigureFormat } from "./figures/render.node.ts";
