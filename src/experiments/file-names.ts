import type { DataSource } from "./data-source.ts";

/** A word for names of files: small letters, digits and hyphens. */
function kebab(text: string): string {
  const word = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  return word === "" ? "data" : word;
}

/** How names of figures and tables of each source begin: its own name, numbered where several have the same one. */
export function fileNamesOf(sources: readonly DataSource[]): string[] {
  const words = sources.map(({ data }) => kebab(data.replace(/^.*[\\/]/, "")));
  return words.map((word, index) =>
    words.indexOf(word) === words.lastIndexOf(word)
      ? word
      : `${word}-${words.slice(0, index + 1).filter((each) => each === word).length}`,
  );
}
