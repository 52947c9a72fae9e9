import type { Node } from "../graph/node.ts";
import { compile, type CompileOptions, type Executable } from "../runtime/executable.ts";

/** Rows of each of the fewest equal chunks of at most `limit` that cover `rows`. */
function chunkRows(rows: number, limit: number): number {
  return Math.ceil(rows / Math.ceil(rows / limit));
}

/** One graph compiled for each number of rows that is asked for, and batches of any size in chunks of at most `limit` rows. */
export class SizedSessions {
  readonly #graph: (rows: number) => Readonly<Record<string, Node>>;
  readonly #limit: number;
  readonly #options: CompileOptions;
  readonly #sessions = new Map<number, Promise<Executable>>();

  constructor(graph: (rows: number) => Readonly<Record<string, Node>>, limit: number, options: CompileOptions) {
    this.#graph = graph;
    this.#limit = limit;
    this.#options = options;
  }

  /** The session that a batch of `rows` goes through. */
  get(rows: number): Promise<Executable> {
    const size = chunkRows(rows, this.#limit);
    const known = this.#sessions.get(size);
    if (known) return known;
    const compiled = compile(this.#graph(size), this.#options);
    this.#sessions.set(size, compiled);
    compiled.catch(() => this.#sessions.delete(size));
    return compiled;
  }

  /**
   * Runs a batch chunk by chunk.
   * @param run one chunk, from row `first` to before row `end`
   */
  async each(rows: number, run: (session: Executable, first: number, end: number) => Promise<void>): Promise<void> {
    const session = await this.get(rows);
    const size = chunkRows(rows, this.#limit);
    for (let row = 0; row < rows; row += size) {
      // The last chunk starts early rather than being short: its overlap is computed twice, to the same values.
      const first = Math.min(row, rows - size);
      await run(session, first, first + size);
    }
  }

  /** Frees all sessions. */
  async dispose(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    await Promise.all(sessions.map(async (session) => (await session).dispose()));
  }
}
