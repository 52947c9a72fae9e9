/** What a model can be written as. */
export const exportTargets = ["diffusers", "onnx", "safetensors"] as const;
export type ExportTarget = (typeof exportTargets)[number];
