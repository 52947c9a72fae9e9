import { readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { version } from "../../package.json";
import { encodeCsvTable } from "../formats/csv.ts";
import { makeFolder } from "../formats/make-folder.node.ts";
import { codeOf, ioError } from "../formats/io-error.ts";
import { checkNotDangling } from "../formats/link.node.ts";
import { isTemporary } from "../formats/temporary.node.ts";
import { writeFileAtomic } from "../formats/write-file.node.ts";
import { UnnoiseError } from "../math/error.ts";
import { jsonText, readJson } from "../train/json-file.node.ts";
import { canonicalJson } from "./job-key.node.ts";
import type { DrawnFigure } from "./pictures.node.ts";
import { studyPage, type StudyPageOptions } from "./study-page.node.ts";
import { failureLine, type Study, type StudyOptions } from "./study.ts";

const RESULTS = "results.json";
const PAGE = "report.html";
const stored = z.looseObject({
  unnoise: z.string(),
  study: z.string(),
  options: z.unknown(),
  files: z.array(z.string()),
});

/** What is to be reported where. */
export interface PlaceRequest {
  readonly study: Pick<Study, "name">;
  readonly options: StudyOptions;
  /** Whether a report made with other options may go. */
  readonly overwrite: boolean;
  /** Whether the folder may hold other things besides the report. */
  readonly shared?: boolean;
}

/** The folder of a report. `results.json` says whose it is and which files are its own. */
export class StudyFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Checks that a report may be written here: where nothing is, or the same study with the same options was reported before.
   * @throws UnnoiseError `usage` for a folder of something else, and of a report with other options unless `overwrite`
   */
  async checkFree({ study, options, overwrite, shared = false }: PlaceRequest): Promise<void> {
    await checkNotDangling(this.path);
    const names = await readdir(this.path).catch((cause: unknown): string[] => {
      if (codeOf(cause) === "ENOENT") return [];
      if (codeOf(cause) === "ENOTDIR") throw new UnnoiseError("usage", `${this.path} is a file; choose another --out`);
      throw ioError("read", this.path, cause);
    });
    const isOurs = (name: string): boolean => isTemporary(name) || (shared && name !== RESULTS && name !== PAGE);
    if (names.every(isOurs)) return;
    if (!names.includes(RESULTS)) {
      throw new UnnoiseError("usage", `${this.path} exists and holds no report of unnoise; choose another --out`);
    }
    const before = await this.#stored();
    const same = before.study === study.name && canonicalJson(before.options) === canonicalJson(options);
    if (same || overwrite) return;
    const advice = "replace it with --overwrite, or choose another folder with --out";
    throw new UnnoiseError("usage", `${this.path} holds a report made with other options; ${advice}`);
  }

  #stored(): Promise<z.infer<typeof stored>> {
    return readJson(join(this.path, RESULTS), stored, "choose another --out");
  }

  /** Writes the report of a study in place of an earlier one. */
  async write(page: StudyPageOptions & { readonly study: Study; readonly options: StudyOptions }): Promise<void> {
    const { study, options, command, report, failures } = page;
    const { findings, numbers } = report;
    const about = { study: study.name, title: study.title, command, options, findings };
    await this.replace(filesOf(page), { ...about, failures: failures.map(failureLine), numbers });
  }

  /**
   * Writes files in place of those that the last report wrote, `results.json` first: a folder whose writing was cut short is then known
   * as one that may be written again.
   * @param results what it holds besides the list of files
   */
  async replace(files: ReadonlyMap<string, string | Uint8Array>, results: object): Promise<void> {
    await this.#removeOwn();
    await this.#write(RESULTS, jsonText({ unnoise: version, ...results, files: [...files.keys()] }));
    for (const [name, content] of files) await this.#write(name, content);
  }

  async #write(name: string, content: string | Uint8Array): Promise<void> {
    const path = join(this.path, name);
    await makeFolder(dirname(path));
    await writeFileAtomic(path, content);
  }

  async #removeOwn(): Promise<void> {
    const before = await this.#stored().catch(() => undefined);
    for (const path of (before?.files ?? []).filter(isInside).map((name) => join(this.path, name))) {
      await rm(path, { force: true }).catch((cause: unknown) => {
        throw ioError("remove", path, cause);
      });
    }
  }
}

/** Whether a listed name is one that a report writes: never a path out of its folder. */
const isInside = (name: string): boolean => /^(figures\/|tables\/)?[^/\\:]+$/.test(name) && !name.includes("..");

function filesOf(page: StudyPageOptions): Map<string, string | Uint8Array> {
  const files = new Map<string, string | Uint8Array>([[PAGE, studyPage(page)]]);
  for (const { name, files: drawn } of page.figures.values()) addFigure(files, name, drawn);
  for (const { tables = [] } of page.report.sections) {
    for (const { name, header, rows } of tables) files.set(`tables/${name}.csv`, encodeCsvTable(header, rows));
  }
  return files;
}

function addFigure(files: Map<string, string | Uint8Array>, name: string, drawn: DrawnFigure["files"]): void {
  for (const [ending, content] of drawn) files.set(`figures/${name}.${ending}`, content);
}
