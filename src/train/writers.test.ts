import { cp, lstat, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRun } from "./open-run.node.ts";
import { parseTrainingConfig } from "./config.ts";
import { trainRun, type TrainRunOptions } from "./train-run.node.ts";

const small = { iterations: 40, batchSize: 8, width: 8, depth: 1, dataSize: 60, checkpointEvery: 10, timesteps: 10 };
const config = parseTrainingConfig({ data: "moons", ...small, device: "cpu", threads: 1 });
const other = parseTrainingConfig({ data: "moons", ...small, seed: 9, device: "cpu", threads: 1 });

let root: string;
let whole: Buffer;
const weightsOf = (run: string): Promise<Buffer> =>
  readFile(join(run, "model/unet/diffusion_pytorch_model.safetensors"));
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "unnoise-writers-"));
  await trainRun({ config, out: join(root, "whole") });
  whole = await weightsOf(join(root, "whole"));
  const stop = new AbortController();
  const onStep = ({ iteration }: { iteration: number }): void => {
    if (iteration === 15) stop.abort();
  };
  await trainRun({ config, out: join(root, "half"), signal: stop.signal, onStep });
});
afterAll(() => rm(root, { recursive: true }));

const ways: Readonly<Record<string, Omit<TrainRunOptions, "out">>> = {
  "a new run": { config },
  "a run that goes on": { config, resume: true },
  "a run over an earlier one": { config, overwrite: true },
};
const seconds: Readonly<Record<string, Omit<TrainRunOptions, "out">>> = {
  "a new one": { config: other },
  "one that goes on": { config, resume: true },
  "one over it": { config: other, overwrite: true },
};

test.each(
  Object.entries(ways).flatMap(([a, first]) =>
    Object.entries(seconds).map(([b, second]) => [a, b, first, second] as const),
  ),
)("%s keeps %s out, which changes nothing", async (a, _b, first, second) => {
  const out = await mkdtemp(join(root, "two-"));
  if (a === "a new run") await rm(out, { recursive: true });
  else await cp(join(root, "half"), out, { recursive: true });
  let refused: Promise<unknown> | undefined;
  const onStep = ({ iteration }: { iteration: number }): void => {
    if (iteration >= 16)
      refused ??= trainRun({ ...second, out }).then(
        () => "trained",
        (error: unknown) => error,
      );
  };
  const onCheckpoint = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
  await trainRun({ ...first, out, onStep });
  await onCheckpoint();
  expect(await refused).toMatchObject({
    code: "usage",
    message: expect.stringMatching(/at work here|already holds a run/) as string,
  });
  expect((await weightsOf(out)).equals(whole)).toBe(true);
  expect(await readdir(out)).not.toContain("in-use");
});

test("two new runs that begin at the same moment do not mix", async () => {
  const out = join(root, "same moment");
  const both = await Promise.allSettled([trainRun({ config, out }), trainRun({ config, out })]);
  expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect((await weightsOf(out)).equals(whole)).toBe(true);
});

test("who only reads does not wait for a writer", async () => {
  const out = join(root, "read");
  await cp(join(root, "whole"), out, { recursive: true });
  await writeFile(join(out, "in-use"), await lockText());
  expect((await openRun(out)).model.columns).toEqual(["x", "y"]);
});

async function lockText(): Promise<string> {
  const probe = join(root, "probe");
  let text = "";
  const onStep = (): void => {
    text ||= "seen";
  };
  await trainRun({ config, out: probe, onStep });
  return JSON.stringify({ pid: process.ppid, start: 0, host: "0badcafe", machine: "elsewhere", since: text });
}

test("links are not followed into what would be replaced", async () => {
  const [kept, link, dangling] = [join(root, "kept"), join(root, "link"), join(root, "dangling")];
  await cp(join(root, "whole"), kept, { recursive: true });
  await symlink(kept, link);
  await symlink(join(root, "nowhere"), dangling);
  await expect(trainRun({ config: other, out: link, overwrite: true })).rejects.toThrow(
    /is a link to .*name that folder itself/,
  );
  await expect(trainRun({ config: other, out: dangling })).rejects.toThrow(
    /is a link to .*nowhere.*not there; remove the link/,
  );
  expect((await weightsOf(kept)).equals(whole)).toBe(true);
  expect((await lstat(dangling)).isSymbolicLink()).toBe(true);
  // As the words say: the folder itself, and another name.
  await trainRun({ config, out: kept, overwrite: true });
  await rm(dangling);
  await trainRun({ config, out: dangling });
  // What already is in a linked folder goes on.
  await mkdir(join(root, "elsewhere"));
  await symlink(join(root, "elsewhere"), join(root, "empty link"));
  await trainRun({ config, out: join(root, "empty link") });
  await trainRun({ config, out: join(root, "empty link"), resume: true });
});
