const NAMED: Readonly<Record<string, string>> = { "\n": String.raw`\n`, "\r": String.raw`\r`, "\t": String.raw`\t` };

/** What a terminal acts on or what hides text: control characters, line ends of Unicode, marks of direction, halves of pairs. */
const UNSHOWABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** A text in which every character that a terminal acts on, or that hides others, stands as its escape: `\x1b`, `\u202e`. */
export function escaped(text: string): string {
  return text.replaceAll(UNSHOWABLE, (character) => {
    const code = character.charCodeAt(0);
    return (
      NAMED[character] ??
      (code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`)
    );
  });
}

/** A text of at most `most` characters: of a longer one its beginning and its end, with "…" between. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = Math.floor((most - 1) / 3);
  return `${text.slice(0, most - 1 - end)}…${text.slice(text.length - end)}`;
}

/** Entries of a list or object that are worth looking at before the text is cut anyway. */
const MOST_ENTRIES = 20;
const DEEPEST = 3;

function listed(entries: readonly string[], left: number, open: string, close: string): string {
  return `${open}${entries.join(",")}${left > 0 ? `${entries.length > 0 ? "," : ""}…` : ""}${close}`;
}

function jsonLike(value: unknown, most: number, depth: number): string {
  // The cut comes first, so that a text of megabytes costs no more than a short one.
  if (typeof value === "string") return JSON.stringify(shortened(value, most));
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint") return `${shortened(String(value), most)}n`;
  if (typeof value !== "object" || value === null) return String(value);
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength} bytes`;
  if (depth === DEEPEST) return Array.isArray(value) ? "[…]" : "{…}";
  if (Array.isArray(value)) {
    const entries = value.slice(0, MOST_ENTRIES).map((entry) => jsonLike(entry, most, depth + 1));
    return listed(entries, value.length - MOST_ENTRIES, "[", "]");
  }
  const entries: string[] = [];
  let left = 0;
  for (const key in value) {
    if (!Object.hasOwn(value, key)) continue;
    if (entries.length === MOST_ENTRIES) {
      left++;
      break;
    }
    const inner: unknown = Reflect.get(value, key);
    entries.push(`${JSON.stringify(shortened(key, most))}:${jsonLike(inner, most, depth + 1)}`);
  }
  return listed(entries, left, "{", "}");
}

/**
 * A value or a name as a message quotes it: like JSON, in one line, with no character that a terminal acts on, and of at most `most`
 * characters, whatever the size and depth of the value.
 */
export function shown(value: unknown, most = 60): string {
  return shortened(escaped(jsonLike(value, most, 0)), most);
}

const MOST_BYTES = 1900;
const utf8 = new TextEncoder();

/**
 * A whole message as one line of less than 2 kB that is safe to print. It is the last guard, behind `shown` for each value: it also
 * covers what a library or the system said, and paths of any length.
 */
export function messageLine(text: string): string {
  // No sentence of ours is longer than this, so more is what somebody put into it.
  const line = escaped(shortened(text, MOST_BYTES).replaceAll(/[\r\n]+[ \t]*/g, " ")).trimEnd();
  return utf8.encode(line).length <= MOST_BYTES ? line : shortened(line, Math.floor(MOST_BYTES / 3));
}
