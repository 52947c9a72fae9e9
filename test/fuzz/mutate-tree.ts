import type { Draws } from "./draws.ts";

/** A value of JSON as it is changed. */
export type Tree = unknown;

const numbers = [0, -1, 1, 0.5, 2, 7, 1e9, 1e308, -1e308, 1e-308, 2 ** 31, 2 ** 53, -0.5, 65_536, 1000];
const words = [
  "",
  "x",
  "\u001b]0;title\u0007",
  "a".repeat(3000),
  "../x",
  "\0",
  " ".repeat(5000),
  "__proto__",
  "1",
  "null",
];

/** Something that stands nowhere in a whole file. */
function hostileValue(draws: Draws): Tree {
  switch (draws.below(9)) {
    case 0:
      return null;
    case 1:
      return draws.unit() < 0.5;
    case 2:
    case 3:
      return draws.one(numbers);
    case 4:
    case 5:
      return draws.one(words);
    case 6:
      return [];
    case 7:
      return draws.one<Tree>([{}, { constructor: 1 }, { toString: null }, { length: 3 }]);
    default:
      return draws.one<Tree>([[[[[[[[1]]]]]]], Array.from({ length: 2000 }, () => 0.1), [null], ["x", 1, {}]]);
  }
}

interface Place {
  readonly holder: object;
  readonly key: string | number;
}

function placesIn(tree: Tree, places: Place[] = []): Place[] {
  if (typeof tree !== "object" || tree === null) return places;
  for (const key of Array.isArray(tree) ? tree.keys() : Object.keys(tree)) {
    places.push({ holder: tree, key });
    placesIn(Reflect.get(tree, key), places);
  }
  return places;
}

function changed(value: Tree, draws: Draws): Tree {
  if (typeof value === "number" && draws.unit() < 0.6) {
    return draws.one([value + 1, value - 1, -value, value * 2, value / 2, value * 1e9, draws.one(numbers)]);
  }
  if (Array.isArray(value) && draws.unit() < 0.5) {
    return draws.one<Tree>([
      value.slice(1),
      [...(value as Tree[]), ...(value as Tree[])],
      [...(value as Tree[]), hostileValue(draws)],
    ]);
  }
  return hostileValue(draws);
}

/** A tree with one to three values replaced, left out, added or moved. */
export function mutatedTree(tree: Tree, draws: Draws): Tree {
  const copy = structuredClone(tree);
  for (let i = draws.below(3); i >= 0; i--) {
    const places = placesIn(copy);
    if (places.length === 0 || draws.below(100) === 0) return hostileValue(draws);
    const { holder, key } = draws.one(places);
    const value: Tree = Reflect.get(holder, key);
    const kind = draws.below(10);
    if (kind < 6) Reflect.set(holder, key, changed(value, draws));
    else if (kind < 8) {
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else Reflect.deleteProperty(holder, key);
    } else if (kind === 8) {
      const other = draws.one(places);
      Reflect.set(holder, key, structuredClone(Reflect.get(other.holder, other.key)));
    } else if (!Array.isArray(holder)) Reflect.set(holder, draws.one(words), value);
  }
  return copy;
}
