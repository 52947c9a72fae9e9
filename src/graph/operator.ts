import type * as builders from "./builders.ts";
import type { Attributes, GraphDType, Node, OpName, ValueType } from "./node.ts";
import { shapeText, type Shape } from "../tensor/tensor.ts";

/** What derivative rules build with: handed to them, because the operator table lies below the builders. */
export type Builders = typeof builders;

/** Host values of every dtype travel as float64, so that the reference is more exact than any provider. */
export interface HostValue {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** ONNX attribute values, tagged because protobuf tells integers from floats and JavaScript does not. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly dtype: GraphDType }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly string: string };

/** What a lowering may do: add ONNX nodes and constants, and ask what it is lowered for. */
export interface Emitter {
  /** `generic` is plain ai.onnx for any runtime; `cpu` may use ONNX Runtime's own operators. */
  readonly target: "generic" | "cpu";
  /** Channels in a block of ONNX Runtime's blocked images (blocked-layout.ts); 0 where it has none. */
  readonly channelBlock: number;
  node(op: string, inputs: readonly string[], attributes?: Record<string, OnnxAttribute>, domain?: string): string;
  /** Like `node`, with several outputs. */
  nodes(op: string, inputs: readonly string[], outputs: number, attributes?: Record<string, OnnxAttribute>): string[];
  float(value: number): string;
  ints(values: readonly number[]): string;
  constant(dtype: GraphDType, shape: Shape, data: Float64Array): string;
  /** Emits once for each key: parts of one split share their Split node. */
  once(key: object, name: string, emit: () => string[]): string[];
}

/** One row of the operator table. */
export interface Operator<K extends OpName> {
  /** Shape rule: the type of the result. Throws a `Mismatch` with the reason when the inputs do not fit. */
  infer(inputs: readonly ValueType[], attributes: Attributes[K]): ValueType;
  /** Float64 reference on the host: constant folding uses it, and every provider is tested against it. */
  evaluate(inputs: readonly HostValue[], attributes: Attributes[K], result: ValueType): Float64Array;
  /** dL/d(inputs) from dL/d(result), `undefined` where none flows; `null` for operators that no gradient crosses. */
  derivative: ((dy: Node, node: Node<K>, build: Builders) => readonly (Node | undefined)[]) | null;
  /** ONNX: the name of the result. */
  lower(emit: Emitter, inputs: readonly string[], node: Node<K>): string;
}

/** A part of the operator table, complete for the operators named. */
export type Operators<K extends OpName> = { readonly [Op in K]: Operator<Op> };

/** What a shape rule throws: the reason alone; the builder adds operator, shapes and path. */
export class Mismatch extends Error {}

/** Whether every value is an integer ≥ 0. */
export function areCounts(values: readonly number[]): boolean {
  return values.every((value) => Number.isSafeInteger(value) && value >= 0);
}

/** Refuses extents that no array has. */
export function requireExtents(shape: Shape): void {
  if (!areCounts(shape)) throw new Mismatch(`extents ${shapeText(shape)}: expected integers ≥ 0`);
}

/** Refuses an axis that a value of `rank` axes does not have. */
export function requireAxis(axis: number, rank: number): void {
  if (!areCounts([axis]) || axis >= rank) throw new Mismatch(`axis ${axis} outside 0…${rank - 1}`);
}
