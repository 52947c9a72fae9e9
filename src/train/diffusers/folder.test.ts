import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { corruptions } from "../../../test/corrupt.ts";
import { readSafetensors } from "../../formats/safetensors-file.node.ts";
import { encodeSafetensors } from "../../formats/safetensors.ts";
import { UnnoiseError } from "../../math/error.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { findDiffusersParts, looksLikeDiffusers } from "./folder.node.ts";
import { importDiffusers, samplingOfDiffusers } from "./import.node.ts";

const golden = fileURLToPath(new URL("../../../test/golden/pipelines/ddpm", import.meta.url));
const weights = "diffusion_pytorch_model.safetensors";
let base: string;
let folder: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "unnoise-"));
  folder = join(base, "model");
  await cp(golden, folder, { recursive: true });
});
afterEach(() => rm(base, { recursive: true }));

const inFolder = (...names: string[]): string => join(folder, ...names);

/** Changes a JSON file. */
async function change(name: string, values: object): Promise<void> {
  const file = JSON.parse(await readFile(inFolder(name), "utf8")) as object;
  await writeFile(inFolder(name), JSON.stringify({ ...file, ...values }));
}

/** Moves all parts into the folder itself. */
async function flatten(): Promise<void> {
  for (const part of ["unet", "scheduler"]) {
    await cp(inFolder(part), folder, { recursive: true });
    await rm(inFolder(part), { recursive: true });
  }
}

async function tensorsOf(name: string): Promise<Map<string, Tensor>> {
  return (await readSafetensors(inFolder(name))).tensors;
}

describe("a folder of diffusers", () => {
  it("has its parts in folders", async () => {
    const parts = await findDiffusersParts(folder);
    expect(parts).toMatchObject({
      pipeline: "DDPMPipeline",
      unetConfigPath: inFolder("unet", "config.json"),
      weightsPath: inFolder("unet", weights),
      schedulerPath: inFolder("scheduler", "scheduler_config.json"),
    });
    expect(await looksLikeDiffusers(folder)).toBe(true);
    expect(await looksLikeDiffusers(base)).toBe(false);
  });

  it.each([true, false])("or is flat, with an index: %s", async (indexed) => {
    const before = await importDiffusers(folder);
    await flatten();
    if (!indexed) await rm(inFolder("model_index.json"));
    expect(await importDiffusers(folder)).toEqual(before);
    expect(await looksLikeDiffusers(folder)).toBe(true);
  });

  it("may have its weights in several files, in a variant, or both", async () => {
    const before = await importDiffusers(folder);
    const tensors = [...(await tensorsOf(`unet/${weights}`))];
    const shards = [tensors.slice(0, 20), tensors.slice(20)].map((part) => new Map(part));
    await rm(inFolder("unet", weights));
    const map: Record<string, string> = {};
    for (const [i, shard] of shards.entries()) {
      const name = `diffusion_pytorch_model.fp16-0000${i + 1}-of-00002.safetensors`;
      await writeFile(inFolder("unet", name), encodeSafetensors(shard));
      for (const key of shard.keys()) map[key] = name;
    }
    const index = JSON.stringify({ metadata: {}, weight_map: map });
    await writeFile(inFolder("unet", `${weights}.index.fp16.json`), index);
    expect((await importDiffusers(folder)).weights).toEqual(new Map([...before.weights]));
    await writeFile(inFolder("unet", `${weights}.index.json`), index);
    expect((await findDiffusersParts(folder)).weightsPath).toMatch(/index\.json$/);
    expect((await findDiffusersParts(folder, "fp16")).weightsPath).toMatch(/index\.fp16\.json$/);
    await expect(findDiffusersParts(folder, "ema")).rejects.toThrow(/no variant ema: there are fp16, the plain ones/);
  });

  it("may have attention under its old names, as 1×1 convolutions", async () => {
    const before = await importDiffusers(folder);
    const old = new Map<string, Tensor>();
    for (const [name, tensor] of await tensorsOf(`unet/${weights}`)) {
      const key = name
        .replace("to_q", "query")
        .replace("to_k", "key")
        .replace("to_v", "value")
        .replace("to_out.0", "proj_attn");
      const isOld = key !== name && name.endsWith("weight");
      old.set(key, isOld ? { ...tensor, shape: [...tensor.shape, 1, 1] } : tensor);
    }
    expect([...old.keys()].filter((name) => name.includes("proj_attn")).length).toBeGreaterThan(3);
    await writeFile(inFolder("unet", weights), encodeSafetensors(old));
    expect((await importDiffusers(folder)).weights).toEqual(before.weights);
  });

  it("of DDIMPipeline samples with DDIM, whatever its scheduler's file", async () => {
    await change("model_index.json", { _class_name: "DDIMPipeline" });
    const model = await importDiffusers(folder);
    expect(samplingOfDiffusers(model)).toMatchObject({ name: "ddim", usualSteps: 50 });
    expect(model.scheduler._class_name).toBe("DDPMScheduler");
    expect(model.variance).toBe("large");
  });
});

describe("what is refused, in one line", () => {
  const refused = async (message: RegExp): Promise<void> => {
    const error: unknown = await importDiffusers(folder).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(UnnoiseError);
    expect(String(error)).toMatch(message);
    expect(String(error)).not.toContain("\n");
  };

  it("pipelines from text, in latent spaces, with transformers", async () => {
    await change("model_index.json", {
      _class_name: "StableDiffusionPipeline",
      text_encoder: ["transformers", "CLIPTextModel"],
      vae: ["diffusers", "AutoencoderKL"],
      safety_checker: [null, null],
    });
    await refused(/"StableDiffusionPipeline", a model from text in a latent space, is not supported: only UNet2DModel/);
  });

  it("networks of other classes", async () => {
    await change("unet/config.json", { _class_name: "UNet2DConditionModel" });
    await refused(/unet\/config.json: _class_name: "UNet2DConditionModel" is not supported: only UNet2DModel/);
    await change("model_index.json", { unet: ["diffusers", "UNet2DConditionModel"] });
    await refused(/model_index.json: unet: UNet2DConditionModel is not supported/);
  });

  it("pickles, with how to convert them", async () => {
    await rename(inFolder("unet", weights), inFolder("unet", "diffusion_pytorch_model.bin"));
    await refused(
      /diffusion_pytorch_model.bin is a Python pickle.*python -c .*from_pretrained\('.*'\)\.save_pretrained/,
    );
    await rm(inFolder("unet", "diffusion_pytorch_model.bin"));
    await refused(/no weights: expected diffusion_pytorch_model.safetensors/);
  });

  it("schedulers that it does not follow, and none", async () => {
    await change("model_index.json", { scheduler: ["diffusers", "PNDMScheduler"] });
    await refused(/scheduler_config.json: _class_name: "PNDMScheduler" is not one of DDPMScheduler, /);
    await change("model_index.json", { scheduler: ["diffusers", "DDPMScheduler"] });
    await change("scheduler/scheduler_config.json", { beta_schedule: "laplace" });
    await refused(/scheduler_config.json: beta_schedule: .*got "laplace"/);
    await rm(inFolder("scheduler"), { recursive: true });
    await refused(/no scheduler_config.json, so that the noise is unknown; write one/);
    const given = await importDiffusers(folder, { scheduler: { _class_name: "DDIMScheduler" } });
    expect(samplingOfDiffusers(given).name).toBe("ddim");
  });

  it("files that do not fit each other", async () => {
    await change("scheduler/scheduler_config.json", { variance_type: "learned_range" });
    await refused(/out_channels: expected 6 with variance_type learned_range, got 3/);
    await change("scheduler/scheduler_config.json", { variance_type: "learned" });
    await refused(/variance_type: "learned" is not supported/);
    await change("scheduler/scheduler_config.json", { variance_type: "fixed_small", trained_betas: [0.1, 0.2] });
    await refused(/scheduler_config.json: timesteps: got 1000, but there are 2 betas/);
    await change("scheduler/scheduler_config.json", { trained_betas: null });
    const tensors = await tensorsOf(`unet/${weights}`);
    tensors.set("extra", { dtype: "float32", shape: [1], data: new Float32Array(1) });
    await writeFile(inFolder("unet", weights), encodeSafetensors(tensors));
    await refused(/extra: the network of config.json has no such weight/);
    tensors.delete("extra");
    tensors.set("conv_in.bias", { dtype: "float32", shape: [8], data: new Float32Array(8).fill(Number.NaN) });
    await writeFile(inFolder("unet", weights), encodeSafetensors(tensors));
    await refused(/conv_in.bias: holds NaN/);
    tensors.delete("conv_in.bias");
    await writeFile(inFolder("unet", weights), encodeSafetensors(tensors));
    await refused(/conv_in.bias: expected \[8\] of floats, got nothing/);
    await change("unet/config.json", { block_out_channels: [16, 16] });
    await refused(/conv_in.weight: expected \[16, 3, 3, 3\] of floats, got float32 \[8, 3, 3, 3\]/);
  });

  it("folders without a model, and what is no folder", async () => {
    await rm(inFolder("unet"), { recursive: true });
    await mkdir(inFolder("vae"));
    await refused(/no model of diffusers \(it has vae, which is no pixel-space U-Net\): expected model_index.json/);
    await expect(importDiffusers(inFolder("nothing"))).rejects.toThrow(/cannot read .*: there is no such folder/);
    await expect(importDiffusers(inFolder("model_index.json"))).rejects.toThrow(/cannot read .*not a folder/s);
  });

  it.each(["model_index.json", "unet/config.json", "scheduler/scheduler_config.json"])(
    "200 damaged variants of %s: an error of ours, or a model",
    async (name) => {
      const text = await readFile(inFolder(name));
      let failed = 0;
      for (const bytes of corruptions(text, 200)) {
        await writeFile(inFolder(name), bytes);
        const error: unknown = await importDiffusers(folder).then(
          () => undefined,
          (cause: unknown) => cause,
        );
        if (error === undefined) continue;
        failed++;
        expect(error).toBeInstanceOf(UnnoiseError);
        expect((error as UnnoiseError).message).not.toContain("\n");
      }
      expect(failed).toBeGreaterThan(100);
    },
  );
});
