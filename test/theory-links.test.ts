import { existsSync, readFileSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";

const page = readFileSync(new URL("../docs/theory.md", import.meta.url), "utf8");
const links = [...page.matchAll(/\[([^\]]+)\]\(([^)\s]+)\)/g)].map(
  ([, text = "", target = ""]) => [text, target] as const,
);
const pathOf = (target: string): URL => new URL(target, new URL("../docs/", import.meta.url));

/** Names in backquotes, which must be exports of the file that the link goes to. */
const symbolsOf = (text: string): string[] => [...text.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name);

describe("docs/theory.md", () => {
  it("links equations to functions", () => {
    expect(links.filter(([text]) => symbolsOf(text).length > 0).length).toBeGreaterThan(25);
  });

  it.each(links)("%s is in %s", (text, target) => {
    const path = pathOf(target);
    expect(existsSync(path)).toBe(true);
    if (statSync(path).isDirectory()) return;
    const source = readFileSync(path, "utf8");
    for (const name of symbolsOf(text)) {
      expect(source).toMatch(new RegExp(`^export (?:async )?(?:function|const|class|interface|type) ${name}\\b`, "m"));
    }
  });

  it("has balanced formulas", () => {
    const inline = page.replaceAll(/\$\$[\s\S]*?\$\$/g, "").replaceAll(/`[^`]*`/g, "");
    for (const paragraph of inline.split("\n\n")) expect(paragraph.split("$").length % 2).toBe(1);
    expect(page.split("$$").length % 2).toBe(1);
  });
});
