import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  TensorProto_DataType as DataType,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "onnx-buf";
import { invariant } from "../math/error.ts";
import { contentKey } from "../graph/content-key.ts";
import { GraphError, isOp, type GraphDType, type Node, type OpName, type ValueType } from "../graph/node.ts";
import { operators } from "../graph/operator-table.ts";
import type { Emitter, OnnxAttribute, Operator } from "../graph/operator.ts";
import { topologicalOrder } from "../graph/traverse.ts";
import type { Shape } from "../tensor/tensor.ts";
import { separatePreparation, usedBy } from "./preparation.ts";
import { tidied } from "./tidy.ts";

const IR_VERSION = 10n;
const OPSET = 21n;
const MICROSOFT = ["com.microsoft", "com.microsoft.nchwc"];
const ONNX_TYPE: Record<GraphDType, DataType> = {
  float32: DataType.FLOAT,
  int32: DataType.INT32,
  bool: DataType.BOOL,
};

/**
 * Writes a graph as an ONNX model (ir 10, opset 21).
 * @param outputs the named results; inputs are the `input` nodes they depend on
 * @param target `generic` emits only standard ai.onnx operators; `cpu` may use those of ONNX Runtime
 * @param channelBlock for `cpu`: channels in a block of ONNX Runtime's blocked images there; 0 for none
 * @throws GraphError when two inputs, or an input and an output, have the same name
 */
export function toOnnx(
  outputs: Readonly<Record<string, Node>>,
  target: Emitter["target"] = "generic",
  channelBlock = 0,
): Uint8Array {
  return emitted(outputs, target, channelBlock).bytes();
}

/** A model for the processor, and the one that prepares constants for it, if there is one. */
export interface PreparedModel {
  readonly model: Uint8Array;
  readonly preparation?: {
    readonly model: Uint8Array;
    readonly feeds: Readonly<Record<string, { readonly data: Float32Array; readonly shape: Shape }>>;
    /** What it returns: inputs of the model beside those of the graph. */
    readonly kernels: readonly string[];
  };
}

/**
 * Like `toOnnx` for `cpu`, with the kernels of blocked convolutions that are constants computed by a model of their own, to be run
 * once.
 */
export function toPreparedOnnx(outputs: Readonly<Record<string, Node>>, channelBlock: number): PreparedModel {
  return emitted(outputs, "cpu", channelBlock).prepared();
}

function emitted(
  outputs: Readonly<Record<string, Node>>,
  target: Emitter["target"],
  channelBlock: number,
): ModelEmitter {
  const emitter = new ModelEmitter({ target, channelBlock }, freePrefix([...requireDistinctNames(outputs)]));
  const names = new Map<Node, string>();
  const nameOf = (node: Node): string => {
    const name = names.get(node);
    invariant(name, `${node.path} was not emitted`);
    return name;
  };
  const named = new Map<Node, string[]>();
  for (const [name, output] of Object.entries(outputs)) named.set(output, [...(named.get(output) ?? []), name]);
  for (const node of topologicalOrder(Object.values(outputs))) {
    if (isOp(node, "input")) emitter.input(node.attributes.name, node);
    names.set(node, lower(node, emitter, node.inputs.map(nameOf)));
    // Copies for a second name right behind their source: ONNX Runtime goes by the order of the nodes, the last first.
    for (const name of named.get(node) ?? []) emitter.output(name, nameOf(node), node);
  }
  return emitter;
}

/**
 * The names of a graph's inputs and outputs, each its own.
 * @throws GraphError when two inputs, or an input and an output, have the same name
 */
export function requireDistinctNames(outputs: Readonly<Record<string, Node>>): ReadonlySet<string> {
  const known = new Set(Object.keys(outputs));
  for (const node of topologicalOrder(Object.values(outputs))) {
    if (!isOp(node, "input")) continue;
    const { name } = node.attributes;
    if (known.has(name)) throw new GraphError(node.path, `the name ${name} is already another input's or output's`);
    known.add(name);
  }
  return known;
}

/** What no name starts with, so that the emitter's own names meet none of them. */
function freePrefix(names: readonly string[]): string {
  let prefix = "#";
  while (names.some((name) => name.startsWith(prefix))) prefix += "#";
  return prefix;
}

function lower<K extends OpName>(node: Node<K>, emitter: Emitter, inputs: readonly string[]): string {
  return (operators[node.op] as Operator<K>).lower(emitter, inputs, node);
}

/** Collects nodes, constants, inputs and outputs of one model. */
class ModelEmitter implements Emitter {
  readonly target: Emitter["target"];
  readonly channelBlock: number;
  readonly #nodes: NodeProto[] = [];
  readonly #initializers: TensorProto[] = [];
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: ValueInfoProto[] = [];
  readonly #shared = new Map<string, string>();
  readonly #emitted = new Map<object, Map<string, string[]>>();
  /** Values that carry the name of an output. */
  readonly #renamed = new Map<string, string>();
  readonly #prefix: string;
  #count = 0;

  constructor({ target, channelBlock }: Pick<Emitter, "target" | "channelBlock">, prefix: string) {
    this.target = target;
    this.channelBlock = channelBlock;
    this.#prefix = prefix;
  }

  node(op: string, inputs: readonly string[], attributes: Record<string, OnnxAttribute> = {}, domain = ""): string {
    return this.#add(op, inputs, 1, attributes, domain)[0] as string;
  }

  nodes(
    op: string,
    inputs: readonly string[],
    outputs: number,
    attributes: Record<string, OnnxAttribute> = {},
  ): string[] {
    return this.#add(op, inputs, outputs, attributes, "");
  }

  float(value: number): string {
    return this.constant("float32", [], Float64Array.of(value));
  }

  ints(values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    return this.#share(`int64 ${values.join()}`, () => tensor(DataType.INT64, [values.length], data));
  }

  constant(dtype: GraphDType, shape: Shape, data: Float64Array): string {
    const make = (): TensorProto => tensor(ONNX_TYPE[dtype], shape, toTyped(dtype, data));
    const content = contentKey(data);
    if (content === undefined) return this.#initializer(make());
    return this.#share(`${dtype} ${shape.join()}: ${content}`, make);
  }

  once(key: object, name: string, emit: () => string[]): string[] {
    const named = this.#emitted.get(key) ?? new Map<string, string[]>();
    this.#emitted.set(key, named);
    const names = named.get(name) ?? emit();
    named.set(name, names);
    return names;
  }

  input(name: string, type: ValueType): void {
    this.#inputs.push(valueInfo(name, type));
  }

  output(name: string, value: string, type: ValueType): void {
    const isNew = !this.#renamed.has(value) && this.#nodes.some(({ output }) => output.includes(value));
    // The value of a node carries the name, so that no copy is made; inputs, constants and further names need one.
    if (isNew) this.#renamed.set(value, name);
    else this.#nodes.push(create(NodeProtoSchema, { opType: "Identity", input: [value], output: [name] }));
    this.#outputs.push(valueInfo(name, type));
  }

  #finished(): NodeProto[] {
    const outputs = this.#outputs.map(({ name }) => name);
    return tidied(this.#nodes, outputs, this.#renamed);
  }

  bytes(): Uint8Array {
    const node = this.#finished();
    return modelBytes({
      node,
      initializer: usedBy(node, this.#initializers),
      input: this.#inputs,
      output: this.#outputs,
    });
  }

  prepared(): PreparedModel {
    const separated = separatePreparation(this.#finished(), this.#initializers);
    if (!separated) return { model: this.bytes() };
    const { preparation, nodes, initializers } = separated;
    const kernels = preparation.kernels.map(floatValue);
    const feeds = preparation.fed.map(({ name, dims, rawData: { buffer, byteOffset, byteLength } }) => {
      return [name, { data: new Float32Array(buffer, byteOffset, byteLength / 4), shape: dims.map(Number) }] as const;
    });
    const model = {
      node: nodes,
      initializer: initializers,
      input: [...this.#inputs, ...kernels],
      output: this.#outputs,
    };
    const before = {
      node: preparation.nodes,
      initializer: preparation.initializers,
      input: feeds.map(([name, { shape }]) => valueInfo(name, { dtype: "float32", shape })),
      output: kernels,
    };
    return {
      model: modelBytes(model),
      preparation: {
        model: modelBytes(before),
        feeds: Object.fromEntries(feeds),
        kernels: preparation.kernels,
      },
    };
  }

  #add(
    opType: string,
    input: readonly string[],
    outputs: number,
    attributes: Record<string, OnnxAttribute>,
    domain: string,
  ): string[] {
    const output = Array.from({ length: outputs }, () => `${this.#prefix}${this.#count++}`);
    const attribute = Object.entries(attributes).map(([name, value]) => attributeProto(name, value));
    this.#nodes.push(create(NodeProtoSchema, { opType, domain, input: [...input], output, attribute }));
    return output;
  }

  #share(key: string, make: () => TensorProto): string {
    const name = this.#shared.get(key) ?? this.#initializer(make());
    this.#shared.set(key, name);
    return name;
  }

  #initializer(proto: TensorProto): string {
    proto.name = `${this.#prefix}${this.#count++}`;
    this.#initializers.push(proto);
    return proto.name;
  }
}

interface GraphParts {
  readonly node: readonly NodeProto[];
  readonly initializer: readonly TensorProto[];
  readonly input: readonly ValueInfoProto[];
  readonly output: readonly ValueInfoProto[];
}

function modelBytes({ node, initializer, input, output }: GraphParts): Uint8Array {
  const used = new Set(node.map(({ domain }) => domain));
  const opsetImport = [create(OperatorSetIdProtoSchema, { domain: "", version: OPSET })];
  for (const domain of MICROSOFT.filter((name) => used.has(name))) {
    opsetImport.push(create(OperatorSetIdProtoSchema, { domain, version: 1n }));
  }
  const graph = create(GraphProtoSchema, {
    name: "unnoise",
    node: [...node],
    initializer: [...initializer],
    input: [...input],
    output: [...output],
  });
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { irVersion: IR_VERSION, producerName: "unnoise", opsetImport, graph }),
  );
}

function toTyped(dtype: GraphDType, data: Float64Array): ArrayBufferView<ArrayBuffer> {
  if (dtype === "float32") return Float32Array.from(data);
  return dtype === "int32" ? Int32Array.from(data) : Uint8Array.from(data);
}

/** Raw data is little-endian, which is what typed arrays are on every platform that runs Node or a browser today. */
function tensor(dataType: DataType, shape: Shape, data: ArrayBufferView<ArrayBuffer>): TensorProto {
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return create(TensorProtoSchema, { dataType, dims: shape.map(BigInt), rawData });
}

function attributeProto(name: string, value: OnnxAttribute): AttributeProto {
  if ("dtype" in value) return attributeProto(name, { int: ONNX_TYPE[value.dtype] });
  if ("int" in value) return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value.int) });
  if ("float" in value) return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.float });
  if ("ints" in value)
    return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.ints.map(BigInt) });
  return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: new TextEncoder().encode(value.string) });
}

function valueInfo(name: string, { dtype, shape }: ValueType): ValueInfoProto {
  const dim = shape.map((extent) =>
    create(TensorShapeProto_DimensionSchema, { value: { case: "dimValue", value: BigInt(extent) } }),
  );
  const tensorType = { elemType: ONNX_TYPE[dtype], shape: create(TensorShapeProtoSchema, { dim }) };
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: "tensorType", value: tensorType as never } }),
  });
}

/** A float32 value whose shape the model leaves to what it is fed. */
function floatValue(name: string): ValueInfoProto {
  const type = create(TypeProtoSchema, {
    value: { case: "tensorType", value: { elemType: DataType.FLOAT } as never },
  });
  return create(ValueInfoProtoSchema, { name, type });
}
