import { UnnoiseError } from "../math/error.ts";
import { shown } from "../math/shown.ts";

/** Characters of markup that is drawn. */
const MOST_CHARACTERS = 10_000_000;
/** Pictures inside a drawing that cannot name anything else. */
const INSIDE = /^(?:#|data:image\/(?:png|jpeg|gif|webp)[;,])/i;
/** Characters that XML forbids. */
const FORBIDDEN = /[^\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

function refuse(where: string, what: string): never {
  throw new UnnoiseError("format", `${where}: ${what}; save the drawing by itself, with plain shapes`);
}

/** Whether a reference at `index` is that of a hyperlink, which a drawing does not follow. */
function isHyperlink(svg: string, index: number): boolean {
  const start = svg.lastIndexOf("<", index);
  return /^<(?:[\w.-]{1,40}:)?a\s/.test(svg.slice(start, start + 50));
}

/**
 * Refuses markup of a drawing that reaches outside its file, or that no XML may hold, before anything draws it.
 * @param where names the file in errors
 * @throws UnnoiseError `format`
 */
export function checkSvgSource(svg: string, where: string): void {
  if (svg.length > MOST_CHARACTERS) refuse(where, `${svg.length} characters, expected at most ${MOST_CHARACTERS}`);
  const bad = FORBIDDEN.exec(svg);
  if (bad) refuse(where, `the character ${shown(bad[0])}, which no SVG may hold`);
  if (/<!ENTITY/i.test(svg)) refuse(where, "entities of its own, which are not read");
  for (const match of svg.matchAll(/href\s*=\s*(?:"([^"]*)"|'([^']*)')/gi)) {
    const target = (match[1] ?? match[2] ?? "").trim();
    if (target !== "" && !INSIDE.test(target) && !isHyperlink(svg, match.index)) {
      refuse(where, `it refers to ${shown(target)} outside itself`);
    }
  }
  for (const [, quoted = ""] of svg.matchAll(/url\(([^)]*)\)/gi)) {
    const target = quoted.trim().replace(/^(?:["']|&quot;|&apos;)/, "");
    if (!target.startsWith("#")) refuse(where, `it refers to ${shown(target)} outside itself`);
  }
  if (/@import/i.test(svg)) refuse(where, "it imports styles from outside itself");
}
