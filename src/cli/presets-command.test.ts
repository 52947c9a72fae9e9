import { describe, expect, it } from "vitest";
import type { PresetComparison } from "../diffusion/preset-difference.ts";
import { presetNames } from "../diffusion/presets.ts";
import { runHere } from "./test-io.ts";

async function printed(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await runHere(["presets", ...argv]);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout;
}

describe("unnoise presets", () => {
  it("lists each setting of each preset", async () => {
    const text = await printed();
    for (const name of presetNames) expect(text).toContain(name);
    expect(text).toMatch(/log β̃ at t = 1 +second +beta +second +clamp/);
    const data = JSON.parse(await printed("--json")) as Record<string, Record<string, unknown>>;
    expect(Object.keys(data)).toEqual([...presetNames]);
    expect(data["openai"]?.["freqShift"]).toBe(0);
  });

  it("says where two differ and how far samples move", async () => {
    const text = await printed("diff", "openai", "diffusers");
    expect(text).toMatch(/ε after clipping +rederived +kept +0\.0\d+/);
    expect(text).toContain("log σ² -9.82 against -46.05");
    const data = JSON.parse(await printed("diff", "openai", "diffusers", "--json")) as PresetComparison;
    expect(data.presets).toEqual(["openai", "diffusers"]);
    expect(data.moved).toBeGreaterThan(0);
  });
});
