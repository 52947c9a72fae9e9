import { open, type FileHandle } from "node:fs/promises";
import type { Tensor } from "../tensor/tensor.ts";
import { UnnoiseError } from "../math/error.ts";
import { ioError } from "./io-error.ts";
import {
  LENGTH_BYTES,
  parseSafetensorsHeader,
  safetensorsHeaderLength,
  type SafetensorsEntry,
  type SafetensorsHeader,
} from "./safetensors-header.ts";
import { storedOf, tensorOf } from "./safetensors-values.ts";
import type { Safetensors } from "./safetensors.ts";

/** Most bytes that one call reads; Linux itself stops at 2 GiB. */
const LARGEST_READ = 2 ** 30;

async function readExactly(handle: FileHandle, out: Uint8Array, position: number, path: string): Promise<Uint8Array> {
  for (let done = 0; done < out.length;) {
    const length = Math.min(out.length - done, LARGEST_READ);
    const { bytesRead } = await handle.read(out, done, length, position + done);
    if (bytesRead === 0) throw new UnnoiseError("format", `${path}: the file became shorter while it was read`);
    done += bytesRead;
  }
  return out;
}

async function readHeader(handle: FileHandle, path: string): Promise<SafetensorsHeader> {
  const { size } = await handle.stat();
  const start = await readExactly(handle, new Uint8Array(Math.min(size, LENGTH_BYTES)), 0, path);
  const end = LENGTH_BYTES + safetensorsHeaderLength(start, size, path);
  return parseSafetensorsHeader(await readExactly(handle, new Uint8Array(end), 0, path), path, size);
}

/** A safetensors file whose header is read and whose tensors stay on the disk until they are asked for. */
export class SafetensorsFile {
  readonly path: string;
  readonly header: SafetensorsHeader;
  readonly #handle: FileHandle;

  private constructor(path: string, header: SafetensorsHeader, handle: FileHandle) {
    this.path = path;
    this.header = header;
    this.#handle = handle;
  }

  /**
   * Opens a file and reads its header.
   * @throws UnnoiseError `io` when it cannot be read, `format` for any breach of the format
   */
  static async open(path: string): Promise<SafetensorsFile> {
    try {
      const handle = await open(path, "r");
      try {
        return new SafetensorsFile(path, await readHeader(handle, path), handle);
      } catch (cause) {
        await handle.close();
        throw cause;
      }
    } catch (cause) {
      throw ioError("read", path, cause);
    }
  }

  /**
   * Reads one tensor into memory of its own.
   * @param entry one of `header.entries`
   * @throws UnnoiseError `io` or `format`
   */
  async read(entry: SafetensorsEntry): Promise<Tensor> {
    const { begin, end } = entry;
    try {
      const raw = new Uint8Array(end - begin);
      await readExactly(this.#handle, raw, this.header.dataStart + begin, this.path);
      return tensorOf(entry, raw, this.path);
    } catch (cause) {
      throw ioError("read", this.path, cause);
    }
  }

  /** Gives the file back to the system. */
  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/**
 * Reads a safetensors file tensor by tensor, so that its bytes are never in memory twice; strictly, as `decodeSafetensors`.
 * @throws UnnoiseError `io` when it cannot be read, `format` for a damaged file or a dtype that is not read
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  const file = await SafetensorsFile.open(path);
  try {
    const { entries, metadata } = file.header;
    const tensors = new Map<string, Tensor>();
    for (const entry of entries) tensors.set(entry.name, await file.read(entry));
    return { tensors, metadata, stored: storedOf(entries) };
  } finally {
    await file.close();
  }
}
