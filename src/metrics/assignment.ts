import { UnnoiseError, invariant } from "../math/error.ts";

/** Costs of giving row `row` to each of the n columns. The array may be reused by the next call. */
export type CostRow = (row: number) => Float64Array;

/**
 * An optimal assignment with its proof: rowDuals[i] + columnDuals[j] ≤ cost[i, j] everywhere, with equality on the chosen
 * pairs (linear programming duality), both up to rounding.
 */
export interface Assignment {
  /** Column given to each row, `[n]`. */
  readonly columns: Int32Array;
  readonly rowDuals: Float64Array;
  readonly columnDuals: Float64Array;
}

interface Search {
  readonly n: number;
  readonly row: CostRow;
  readonly columnOf: Int32Array;
  readonly rowOf: Int32Array;
  readonly duals: Float64Array;
}

interface Tree {
  readonly distance: Float64Array;
  readonly parent: Int32Array;
  readonly settled: Int32Array;
  readonly settledDistance: Float64Array;
}

const PASSES = 2;
const BIDS_PER_ROW = 5;

/**
 * The permutation σ that minimises Σ_i cost[i, σ(i)] (Jonker and Volgenant 1987).
 * @param cost `[n, n]` row by row, finite
 * @returns the column of each row, `[n]`
 * @throws UnnoiseError `usage` when the size is not n², `not-finite` for a cost that is not finite
 */
export function solveAssignment(cost: Float64Array, n: number): Int32Array {
  if (!Number.isInteger(n) || n < 0 || cost.length !== n * n) {
    throw new UnnoiseError("usage", `assignment: a cost matrix for n = ${n} needs n² values, got ${cost.length}`);
  }
  const broken = cost.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) {
    throw new UnnoiseError(
      "not-finite",
      `assignment: cost[${Math.floor(broken / n)}, ${broken % n}] is ${cost[broken] ?? NaN}`,
    );
  }
  return assign(denseRows(cost, n), n).columns;
}

/** Rows of a matrix `[n, n]` that lies in memory, as views. */
export function denseRows(cost: Float64Array, n: number): CostRow {
  const views = Array.from({ length: n }, (_, row) => cost.subarray(row * n, (row + 1) * n));
  return (row) => views[row] as Float64Array;
}

/**
 * An optimal assignment of n rows to n columns with its duals: augmenting row reduction, then one shortest augmenting path
 * for each row that is still free (Jonker and Volgenant 1987; dense Dijkstra search as in Crouse 2016, "On implementing 2D
 * rectangular assignment algorithms"). O(n³) at worst.
 * @param row finite costs, one row at a time; asked for the same row many times
 * @param start column duals to begin with, `[n]`; any finite values are valid, good ones save most of the work. By default
 * the column minima (column reduction).
 */
export function assign(row: CostRow, n: number, start: Float64Array = columnMinima(row, n)): Assignment {
  const search: Search = {
    n,
    row,
    columnOf: new Int32Array(n).fill(-1),
    rowOf: new Int32Array(n).fill(-1),
    duals: start.slice(),
  };
  augment(search, reduceRows(search));
  return { columns: search.columnOf, rowDuals: rowDuals(search), columnDuals: search.duals };
}

function columnMinima(row: CostRow, n: number): Float64Array {
  const minima = new Float64Array(n).fill(Infinity);
  for (let i = 0; i < n; i++) {
    const cost = row(i);
    for (let j = 0; j < n; j++) {
      const value = cost[j] as number;
      if (value < (minima[j] as number)) minima[j] = value;
    }
  }
  return minima;
}

function rowDuals({ n, row, columnOf, duals }: Search): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => {
    const column = columnOf[i] as number;
    return (row(i)[column] as number) - (duals[column] as number);
  });
}

/** Augmenting row reduction; returns the rows that are left free. */
function reduceRows(search: Search): Int32Array {
  const free = Int32Array.from({ length: search.n }, (_, i) => i);
  let count = search.n;
  for (let pass = 0; pass < PASSES && count > 0; pass++) count = reductionPass(search, free, count);
  return free.subarray(0, count);
}

/**
 * Each free row bids for its cheapest column, whose dual falls until the second cheapest is as good. A displaced row bids at
 * once while the budget lasts, so that rounding can never make two rows outbid each other for ever.
 */
function reductionPass(search: Search, free: Int32Array, count: number): number {
  const { columnOf, rowOf } = search;
  let budget = BIDS_PER_ROW * search.n;
  let next = 0;
  let kept = 0;
  while (next < count) {
    const i = free[next++] as number;
    const { column, lowered } = bid(search, i);
    const displaced = rowOf[column] as number;
    columnOf[i] = column;
    rowOf[column] = i;
    if (displaced < 0) continue;
    columnOf[displaced] = -1;
    if (lowered && budget-- > 0) free[--next] = displaced;
    else free[kept++] = displaced;
  }
  return kept;
}

function bid({ n, row, rowOf, duals }: Search, i: number): { column: number; lowered: boolean } {
  const cost = row(i);
  let first = Infinity;
  let second = Infinity;
  let firstColumn = -1;
  let secondColumn = -1;
  for (let j = 0; j < n; j++) {
    const reduced = (cost[j] as number) - (duals[j] as number);
    if (reduced >= second) continue;
    if (reduced < first) {
      second = first;
      secondColumn = firstColumn;
      first = reduced;
      firstColumn = j;
    } else {
      second = reduced;
      secondColumn = j;
    }
  }
  const before = duals[firstColumn] as number;
  const after = before - (second - first);
  const lowered = secondColumn >= 0 && after < before;
  if (lowered) duals[firstColumn] = after;
  const taken = (rowOf[firstColumn] as number) >= 0;
  return { column: !lowered && taken && secondColumn >= 0 ? secondColumn : firstColumn, lowered };
}

function augment(search: Search, free: Int32Array): void {
  const { n } = search;
  const tree: Tree = {
    distance: new Float64Array(n),
    parent: new Int32Array(n),
    settled: new Int32Array(n),
    settledDistance: new Float64Array(n),
  };
  for (const start of free) flip(search, tree, start, shortestPath(search, tree, start));
}

/**
 * Dijkstra's search over reduced costs from a free row to the nearest free column, which it returns; the duals of the columns
 * settled on the way are lowered. A settled column's distance is NaN, which loses every comparison.
 */
function shortestPath(search: Search, tree: Tree, start: number): number {
  const { row, rowOf, duals } = search;
  const { distance, settled, settledDistance } = tree;
  distance.fill(Infinity);
  let count = 0;
  let i = start;
  let offset = 0;
  for (;;) {
    const column = relax(search, tree, i, offset);
    invariant(column >= 0, "no column can be reached in an assignment search");
    const reached = distance[column] as number;
    i = rowOf[column] as number;
    if (i < 0) {
      lowerDuals(duals, tree, count, reached);
      return column;
    }
    settled[count] = column;
    settledDistance[count++] = reached;
    distance[column] = NaN;
    offset = (row(i)[column] as number) - (duals[column] as number) - reached;
  }
}

/** Offers the way through row i to every open column, and returns the nearest open column, a free one if it can. */
function relax({ n, row, rowOf, duals }: Search, { distance, parent }: Tree, i: number, offset: number): number {
  const cost = row(i);
  let lowest = Infinity;
  let nearest = -1;
  for (let j = 0; j < n; j++) {
    const through = (cost[j] as number) - (duals[j] as number) - offset;
    let best = distance[j] as number;
    if (through < best) {
      distance[j] = through;
      parent[j] = i;
      best = through;
    }
    if (best > lowest) continue;
    if (best < lowest || (best === lowest && (rowOf[j] as number) < 0)) {
      lowest = best;
      nearest = j;
    }
  }
  return nearest;
}

function lowerDuals(duals: Float64Array, { settled, settledDistance }: Tree, count: number, reached: number): void {
  for (let k = 0; k < count; k++) {
    const column = settled[k] as number;
    duals[column] = (duals[column] as number) + (settledDistance[k] as number) - reached;
  }
}

/** Exchanges free and matched pairs along the path that ends in `column`. */
function flip({ columnOf, rowOf }: Search, { parent }: Tree, start: number, column: number): void {
  for (;;) {
    const i = parent[column] as number;
    const previous = columnOf[i] as number;
    rowOf[column] = i;
    columnOf[i] = column;
    if (i === start) return;
    column = previous;
  }
}
