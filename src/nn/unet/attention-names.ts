import type { Shape } from "../../tensor/tensor.ts";

/** A weight by name and shape. */
export interface NamedShape {
  readonly name: string;
  readonly shape: Shape;
}

const present: Readonly<Record<string, string>> = { query: "to_q", key: "to_k", value: "to_v", proj_attn: "to_out.0" };
const OLD = /^(.*\battentions\.\d+)\.(query|key|value|proj_attn)\.(weight|bias)$/;
const PROJECTION = /\battentions\.\d+\.(?:to_[qkv]|to_out\.0)\.weight$/;

/**
 * What an attention weight of an old checkpoint is called today, and its shape: query, key, value and proj_attn are to_q, to_k,
 * to_v and to_out.0, and 1×1 convolutions [o, i, 1, 1] are linear [o, i]; the numbers stay in their order. Other weights stay as
 * they are.
 */
export function presentAttention({ name, shape }: NamedShape): NamedShape {
  const [, block = "", part = "", kind = ""] = OLD.exec(name) ?? [];
  const renamed = block ? `${block}.${present[part] ?? part}.${kind}` : name;
  const flat = PROJECTION.test(renamed) && shape.length > 2 && shape.slice(2).every((extent) => extent === 1);
  return { name: renamed, shape: flat ? shape.slice(0, 2) : shape };
}
