import { describe, expect, it } from "vitest";
import { presentAttention } from "./attention-names.ts";

describe("presentAttention", () => {
  it.each([
    ["down_blocks.1.attentions.0.query.weight", "down_blocks.1.attentions.0.to_q.weight"],
    ["mid_block.attentions.0.key.bias", "mid_block.attentions.0.to_k.bias"],
    ["up_blocks.2.attentions.1.value.weight", "up_blocks.2.attentions.1.to_v.weight"],
    ["up_blocks.2.attentions.1.proj_attn.bias", "up_blocks.2.attentions.1.to_out.0.bias"],
    ["up_blocks.2.attentions.1.group_norm.weight", "up_blocks.2.attentions.1.group_norm.weight"],
    ["mid_block.attentions.0.to_q.weight", "mid_block.attentions.0.to_q.weight"],
    ["query.weight", "query.weight"],
  ])("calls %s %s", (name, expected) => {
    expect(presentAttention({ name, shape: [4] })).toEqual({ name: expected, shape: [4] });
  });

  it("makes 1×1 convolutions linear, and leaves other shapes", () => {
    const shapeOf = (name: string, shape: number[]): readonly number[] => presentAttention({ name, shape }).shape;
    expect(shapeOf("a.attentions.0.proj_attn.weight", [8, 4, 1, 1])).toEqual([8, 4]);
    expect(shapeOf("a.attentions.0.to_k.weight", [8, 4, 1])).toEqual([8, 4]);
    expect(shapeOf("a.attentions.0.to_k.weight", [8, 4, 3, 3])).toEqual([8, 4, 3, 3]);
    expect(shapeOf("a.resnets.0.conv_shortcut.weight", [8, 4, 1, 1])).toEqual([8, 4, 1, 1]);
  });
});
