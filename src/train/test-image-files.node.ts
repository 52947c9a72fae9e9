import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** An IDX file of bytes. */
function idx(shape: readonly number[], data: Uint8Array): Uint8Array {
  const header = new Uint8Array(4 + 4 * shape.length);
  header.set([0, 0, 8, shape.length]);
  shape.forEach((extent, axis) => new DataView(header.buffer).setUint32(4 + 4 * axis, extent));
  return Uint8Array.from([...header, ...data]);
}

/** Grey 8 × 8 images of three classes: a bright corner, a bar or a ramp, each in its own shade. */
function pixels(count: number, labels: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: count * 64 }, (_, i) => {
    const [image, y, x] = [Math.floor(i / 64), Math.floor(i / 8) % 8, i % 8];
    const shade = 120 + ((image * 37) % 130);
    const bright = [x < 4 && y < 4, y === 3 || y === 4, x + (image % 3) > 6][labels[image] ?? 0];
    return bright === true ? shade : 10 + ((image * 11) % 20);
  });
}

/** Writes images in three classes as MNIST comes. */
export async function writeImages(
  folder: string,
  { train = 40, test = 0 }: { train?: number; test?: number } = {},
): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const [part, count] of [
    ["train", train],
    ["t10k", test],
  ] as const) {
    if (count === 0) continue;
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 3);
    await writeFile(join(folder, `${part}-images-idx3-ubyte`), idx([count, 8, 8], pixels(count, labels)));
    await writeFile(join(folder, `${part}-labels-idx1-ubyte`), idx([count], labels));
  }
  return folder;
}
