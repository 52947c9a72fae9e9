import { median } from "./results.ts";

/** One event of ONNX Runtime's profile; times in microseconds. */
export interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly args?: {
    readonly op_name?: string;
    readonly input_type_shape?: readonly Readonly<Record<string, readonly number[]>>[];
    readonly output_type_shape?: readonly Readonly<Record<string, readonly number[]>>[];
  };
}

interface Context {
  /** Milliseconds of runs without profiling. */
  readonly wall: readonly number[];
  /** Runs at the start of the profile that are not counted. */
  readonly warmUp: number;
  /** Floating-point operations of a run. */
  readonly flops: number;
}

interface Group {
  readonly name: string;
  microseconds: number;
  calls: number;
}

/** Tables by operator and by operator and shape, and what lies outside the kernels. */
export function summarise(events: readonly TraceEvent[], { wall, warmUp, flops }: Context): string {
  const runs = events
    .filter(({ name }) => name === "model_run")
    .sort((a, b) => a.ts - b.ts)
    .slice(warmUp);
  const from = runs[0]?.ts ?? Infinity;
  const kernels = events.filter(({ cat, name, ts }) => cat === "Node" && name.endsWith("_kernel_time") && ts >= from);
  const total = sum(kernels) / runs.length;
  const run = sum(runs) / runs.length;
  const typical = median(wall);
  const line = (label: string, value: number): string => `${label.padEnd(44)} ${value.toFixed(1).padStart(9)} µs`;
  return [
    line("whole call, without profiling (median)", typical * 1e3),
    `${"".padEnd(44)} ${(flops / typical / 1e6).toFixed(1).padStart(9)} GFLOP/s`,
    line("run, profiled (mean)", run),
    line("  kernels", total),
    line("  outside kernels (profiling itself included)", run - total),
    `${kernels.length / runs.length} kernels a run`,
    tableOf("by operator", kernels, runs.length, total, ({ args }) => args?.op_name ?? "?"),
    tableOf("by operator and shape", kernels, runs.length, total, shapeKey),
  ].join("\n");
}

const sum = (events: readonly TraceEvent[]): number => events.reduce((total, { dur }) => total + dur, 0);

function shapeKey({ args }: TraceEvent): string {
  const text = (shapes: readonly Readonly<Record<string, readonly number[]>>[] = []): string => {
    const all = shapes.map((typed) => `[${Object.values(typed).join("")}]`);
    return all.length > 4 ? `${all.slice(0, 2).join(" ")} … ${all.length} in all` : all.join(" ");
  };
  return `${args?.op_name ?? "?"} ${text(args?.input_type_shape)} → ${text(args?.output_type_shape)}`;
}

function tableOf(
  title: string,
  kernels: readonly TraceEvent[],
  runs: number,
  total: number,
  keyOf: (event: TraceEvent) => string,
): string {
  const groups = new Map<string, Group>();
  for (const event of kernels) {
    const name = keyOf(event);
    const group = groups.get(name) ?? { name, microseconds: 0, calls: 0 };
    group.microseconds += event.dur;
    group.calls++;
    groups.set(name, group);
  }
  const rows = [...groups.values()].sort((a, b) => b.microseconds - a.microseconds).slice(0, 30);
  const lines = rows.map(({ name, microseconds, calls }) => {
    const each = microseconds / runs;
    const share = ((100 * each) / total).toFixed(1);
    return `${each.toFixed(1).padStart(9)} µs ${share.padStart(5)} % ${(calls / runs).toFixed(0).padStart(4)} ×  ${name}`;
  });
  return `\n${title}\n${lines.join("\n")}`;
}
