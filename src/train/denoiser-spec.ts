import { UnnoiseError } from "../math/error.ts";
import { nearMiss } from "../math/near-miss.ts";
import { shown } from "../math/shown.ts";
import type { Node } from "../graph/node.ts";
import type { Network, NetworkInputs } from "../nn/network.ts";
import { networkNames, networks, type DenoiserConfig, type NetworkName } from "../nn/networks.ts";
import type { Parameter, Weights } from "../nn/parameters.ts";
import type { Shape } from "../tensor/tensor.ts";

/** The network of a configuration, which alone knows how to read it. */
function networkOf({ kind }: DenoiserConfig): Network<DenoiserConfig> {
  return networks[kind] as unknown as Network<DenoiserConfig>;
}

/** Names and shapes of its weights, in the order of the flat vector. */
export function denoiserParameters(config: DenoiserConfig): Parameter[] {
  return networkOf(config).parameters(config);
}

/** Extents of one sample: [C, H, W] for images, [D] for points. */
export function sampleShapeOf(config: DenoiserConfig): Shape {
  return networkOf(config).sampleShape(config);
}

/** Extent of what the network gives along its first axis after the batch. */
export function outputChannelsOf(config: DenoiserConfig): number {
  return networkOf(config).outputChannels(config);
}

/** Rows of the network's table of classes; 0 where it takes none. */
export function classesOf(config: DenoiserConfig): number {
  return networkOf(config).classes(config);
}

/** The network as a graph function of its weights. */
export function denoiserPredict(config: DenoiserConfig): (inputs: NetworkInputs, weights: Weights) => Node {
  return (inputs, weights) => networkOf(config).predict(inputs, weights, config);
}

/** A configuration as its file has it. */
export function denoiserFile(config: DenoiserConfig): Readonly<Record<string, unknown>> {
  return { _class_name: config.kind, ...networkOf(config).file(config) };
}

/**
 * Reads the configuration of a network.
 * @param file an object with `_class_name` and the keys of that class
 * @param where what error messages call it
 * @throws UnnoiseError `usage` for an unknown class, or a key that is unknown or out of range
 */
export function parseDenoiser(file: Readonly<Record<string, unknown>>, where: string): DenoiserConfig {
  const { _class_name: name, ...keys } = file;
  if (!isNetworkName(name)) {
    const near = typeof name === "string" ? nearMiss(name, networkNames) : undefined;
    const advice = near === undefined ? `expected one of ${networkNames.join(", ")}` : `did you mean ${near}?`;
    const got = name === undefined ? "is missing" : `no network is called ${shown(name)}`;
    throw new UnnoiseError("usage", `${where}: _class_name: ${got}; ${advice}`);
  }
  const parsed = networks[name].schema.safeParse(keys);
  if (parsed.success) return { kind: name, ...parsed.data } as DenoiserConfig;
  const [issue] = parsed.error.issues;
  const key = issue?.path.map(String).join(".") ?? "";
  throw new UnnoiseError("usage", `${where}: ${key === "" ? "" : `${key}: `}${issue?.message ?? "not understood"}`);
}

function isNetworkName(name: unknown): name is NetworkName {
  return typeof name === "string" && Object.hasOwn(networks, name);
}
