import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Problem } from "./protocol.ts";
import { repository } from "./versions.ts";

/** Something to time: one way of one library with a number of threads. */
export interface Contender {
  /** Row of the table; the fastest of a row's contenders stands for it. */
  readonly row: string;
  readonly variant: string;
  /** Threads asked for; null is the contender's own choice. */
  readonly threads: number | null;
  readonly command: readonly string[];
  /** Arguments that make `command` do a cold start, before the problem and the result. */
  readonly cold: readonly string[] | null;
}

/** A row that cannot be timed here, and why. */
export interface Absent {
  readonly row: string;
  readonly reason: string;
}

export interface Field {
  readonly contenders: readonly Contender[];
  readonly absent: readonly Absent[];
}

const peers = join(repository, "bench", "peers");
/** Variants of torch_peer.py by row; sampling has no optimiser, so there fewer differ. */
const torchRows: Readonly<Record<Problem["kind"], Readonly<Record<string, readonly string[]>>>> = {
  train: {
    "PyTorch eager": ["eager"],
    "PyTorch eager, fused AdamW": ["eager-fused"],
    "PyTorch torch.compile": ["compile", "compile-all"],
  },
  sample: { "PyTorch eager": ["eager"], "PyTorch torch.compile": ["compile"] },
};

/** Everything that can be timed here, and what is missing. */
export function findField(kind: Problem["kind"], threads: number | null): Field {
  const unnoise: Contender = {
    row: "unnoise",
    variant: "library",
    threads,
    command: [process.execPath, join(repository, "bench", "dist", "unnoise-peer.js")],
    cold: null,
  };
  const fields = [
    { contenders: [unnoise], absent: [] },
    findTorch(kind),
    findNodePeer("tfjs-wasm", "tfjs-peer.js", "@tensorflow/tfjs"),
    findNodePeer("jax-js (wasm)", "jax-js-peer.js", "@jax-js/jax"),
  ];
  return { contenders: fields.flatMap((field) => field.contenders), absent: fields.flatMap((field) => field.absent) };
}

function findTorch(kind: Problem["kind"]): Field {
  const rows = Object.entries(torchRows[kind]);
  const python = process.env["UNNOISE_BENCH_PYTHON"] ?? "python3";
  const found = spawnSync(python, ["-c", "import torch"], { encoding: "utf8" });
  if (found.status !== 0) {
    const reason = `${python} has no torch; name one that has with UNNOISE_BENCH_PYTHON`;
    return { contenders: [], absent: rows.map(([row]) => ({ row, reason })) };
  }
  const script = join(peers, "torch_peer.py");
  const counts = [...new Set([1, availableParallelism()])];
  const contenders = rows.flatMap(([row, variants]) =>
    variants.flatMap((variant) =>
      counts.map((threads) => {
        const cold = row === "PyTorch eager" ? [python, script, "--cold"] : null;
        return { row, variant, threads, command: [python, script], cold };
      }),
    ),
  );
  return { contenders, absent: [] };
}

function findNodePeer(row: string, file: string, name: string): Field {
  if (!existsSync(join(peers, "node_modules", name))) {
    const reason = "not installed: npm ci --prefix bench/peers --ignore-scripts";
    return { contenders: [], absent: [{ row, reason }] };
  }
  const command = [process.execPath, join(peers, file)];
  return { contenders: [{ row, variant: "wasm", threads: null, command, cold: [...command, "--cold"] }], absent: [] };
}
