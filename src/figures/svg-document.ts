/**
 * A document with only what Observable Plot needs to build SVG: elements, text, attributes and order. It makes figures
 * pure functions with the same bytes in Node, in browsers and in workers, at none of the cost of a whole DOM.
 */

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

/** Attributes whose numbers are coordinates; two decimals of a pixel are enough for them. */
const geometry = new Set(
  "x y x1 x2 y1 y2 dx dy cx cy r rx ry d points transform width height stroke-width viewBox".split(" "),
);

class SvgText {
  readonly data: string;
  parentNode: SvgElement | null = null;

  constructor(data: string) {
    this.data = data;
  }
}

type SvgNode = SvgElement | SvgText;

/** One element of an SVG tree. */
export class SvgElement {
  readonly tagName: string;
  readonly namespaceURI: string;
  readonly ownerDocument: SvgDocument;
  readonly childNodes: SvgNode[] = [];
  readonly attributes: Map<string, string> = new Map<string, string>();
  parentNode: SvgElement | null = null;

  constructor(tagName: string, namespaceURI: string, ownerDocument: SvgDocument) {
    this.tagName = tagName;
    this.namespaceURI = namespaceURI;
    this.ownerDocument = ownerDocument;
  }

  get firstChild(): SvgNode | null {
    return this.childNodes[0] ?? null;
  }

  get children(): SvgElement[] {
    return this.childNodes.filter((child) => child instanceof SvgElement);
  }

  get style(): { setProperty(name: string, value: string): void } {
    return {
      setProperty: (name, value): void => {
        const before = this.getAttribute("style");
        this.setAttribute("style", `${before === null ? "" : `${before} `}${name}: ${value};`);
      },
    };
  }

  set textContent(value: string | null) {
    this.childNodes.length = 0;
    if (value !== null && value !== "") this.appendChild(new SvgText(value));
  }

  getAttribute(name: string): string | null {
    return this.attributes.get(name) ?? null;
  }

  hasAttribute(name: string): boolean {
    return this.attributes.has(name);
  }

  setAttribute(name: string, value: unknown): void {
    const isCoordinate = typeof value === "number" && geometry.has(name);
    this.attributes.set(name, isCoordinate ? rounded(value) : String(value));
  }

  setAttributeNS(_namespace: string, name: string, value: unknown): void {
    this.setAttribute(name, value);
  }

  removeAttribute(name: string): void {
    this.attributes.delete(name);
  }

  appendChild<N extends SvgNode>(child: N): N {
    return this.insertBefore(child, null);
  }

  insertBefore<N extends SvgNode>(child: N, next?: SvgNode | null): N {
    child.parentNode?.removeChild(child);
    const position = next ? this.childNodes.indexOf(next) : this.childNodes.length;
    this.childNodes.splice(position, 0, child);
    child.parentNode = this;
    return child;
  }

  removeChild<N extends SvgNode>(child: N): N {
    this.childNodes.splice(this.childNodes.indexOf(child), 1);
    child.parentNode = null;
    return child;
  }
}

/** The factory of elements that Plot is given as its `document`. */
export class SvgDocument {
  readonly documentElement: SvgElement;

  constructor() {
    this.documentElement = this.createElementNS(SVG_NAMESPACE, "svg");
  }

  createElementNS(namespace: string, name: string): SvgElement {
    return new SvgElement(name, namespace, this);
  }

  createTextNode(data: string): SvgText {
    return new SvgText(data);
  }

  /** A new element with attributes and children: strings become text. */
  element(name: string, attributes: Attributes, ...children: readonly (SvgElement | string)[]): SvgElement {
    const made = this.createElementNS(SVG_NAMESPACE, name);
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(key, value);
    for (const child of children) made.appendChild(typeof child === "string" ? new SvgText(child) : child);
    return made;
  }
}

/** Attributes of an element to make; those that are undefined are left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

const rounded = (value: number): string => String(Math.round(value * 100) / 100 || 0);

const roundNumbers = (value: string): string =>
  value.replace(/-?\d*\.\d+(?:e-?\d+)?/g, (number) => rounded(Number(number)));

/** Text for XML: markup escaped, characters that XML 1.0 forbids replaced by U+FFFD. */
export function escapeXml(text: string): string {
  if (/^[\w .,:;#%()+\-/]*$/.test(text)) return text;
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd");
}

/** The markup of an element and all below it, coordinates rounded to 2 decimals. */
export function serialize(node: SvgElement): string {
  const parts: string[] = [];
  writeElement(node, parts);
  return parts.join("");
}

function writeElement(node: SvgElement, parts: string[]): void {
  parts.push("<", node.tagName);
  for (const [name, value] of node.attributes) {
    const isLong = value.length > 4 && geometry.has(name);
    parts.push(" ", name, '="', escapeXml(isLong ? roundNumbers(value) : value), '"');
  }
  if (node.childNodes.length === 0) {
    parts.push("/>");
    return;
  }
  parts.push(">");
  for (const child of node.childNodes) {
    if (child instanceof SvgText) parts.push(escapeXml(child.data));
    else writeElement(child, parts);
  }
  parts.push("</", node.tagName, ">");
}
