import { createHash } from "node:crypto";
import { version } from "../../package.json";
import type { Job } from "./job.ts";

/** JSON with sorted keys, so that equal configurations have one text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(",")}}`;
}

const keys = new WeakMap<Job, string>();
const KEY_LENGTH = 16;

/** Names a job by all that its result depends on: unnoise's version, kind, configuration, and the keys of what it needs. */
export function jobKey(job: Job): string {
  const known = keys.get(job);
  if (known !== undefined) return known;
  const { name, version: kindVersion } = job.kind;
  const content = { unnoise: version, kind: name, kindVersion, config: job.config, needs: job.needs.map(jobKey) };
  const digest = createHash("sha256").update(canonicalJson(content)).digest("hex");
  const key = `${name}-${digest.slice(0, KEY_LENGTH)}`;
  keys.set(job, key);
  return key;
}
