export { apply } from "./apply.ts";
export * from "./basic-builders.ts";
export * from "./image-builders.ts";
