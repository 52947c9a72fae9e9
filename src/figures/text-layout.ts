/** Mean advance of DejaVu Sans as a share of the font size; enough to break lines and place legends. */
const MEAN_ADVANCE = 0.6;
const BOLD_ADVANCE = 0.68;

/** Estimated width in px of one line of text. */
export function textWidth(text: string, fontSize: number, bold = false): number {
  const visible = text.normalize("NFC").replace(/\p{M}/gu, "");
  return Array.from(visible).length * fontSize * (bold ? BOLD_ADVANCE : MEAN_ADVANCE);
}

/** Breaks text at spaces into lines no wider than `width` px; a single longer word is broken anywhere. */
export function wrapText(text: string, width: number, fontSize: number, bold = false): string[] {
  const fits = (line: string): boolean => textWidth(line, fontSize, bold) <= width;
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).flatMap((whole) => breakWord(whole, fits))) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && !fits(longer)) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  if (line !== "") lines.push(line);
  return lines;
}

function breakWord(word: string, fits: (line: string) => boolean): string[] {
  const pieces: string[] = [];
  let piece = "";
  for (const character of word) {
    if (piece !== "" && !fits(piece + character)) {
      pieces.push(piece);
      piece = "";
    }
    piece += character;
  }
  if (piece !== "") pieces.push(piece);
  return pieces;
}

/** `text` cut with an ellipsis to at most `width` px. */
export function shorten(text: string, width: number, fontSize: number): string {
  if (textWidth(text, fontSize) <= width) return text;
  const kept = Math.max(1, Math.floor(width / (fontSize * MEAN_ADVANCE)) - 1);
  return `${Array.from(text).slice(0, kept).join("").trimEnd()}…`;
}
