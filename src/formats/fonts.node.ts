import { createRequire } from "node:module";

/** The files of DejaVu Sans, with which all text in pictures is drawn. */
export function fontFiles(): string[] {
  const { resolve } = createRequire(import.meta.url);
  return ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((file) => resolve(`dejavu-fonts-ttf/ttf/${file}`));
}
