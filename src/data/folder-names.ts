/** Folders and files that systems and programs leave beside data, in small letters; hidden ones, with a dot in front, apart. */
const LEFT_BY_SYSTEMS = [
  "__macosx",
  "@eadir",
  "#recycle",
  "lost+found",
  "$recycle.bin",
  "recycler",
  "system volume information",
  "thumbs.db",
  "desktop.ini",
  "icon\r",
  "__pycache__",
];
/** Whether a system or a program left a file or folder of that name: it is no data. */
export const isLeftBySystem = (name: string): boolean =>
  name.startsWith(".") || LEFT_BY_SYSTEMS.includes(name.toLowerCase());

/** Names by which people call the parts of a split, without what is put around them. */
const PARTS: Readonly<Record<string, "train" | "test">> = {
  ...{ train: "train", training: "train", trn: "train", trainset: "train" },
  ...{
    test: "test",
    testing: "test",
    tst: "test",
    testset: "test",
    val: "test",
    valid: "test",
    validation: "test",
    dev: "test",
  },
  ...{ eval: "test", evaluation: "test", holdout: "test", heldout: "test" },
};

/** Which part of a split a folder's name means: `Train`, `train_set`, `test-images`, `val2017`, `Training Data`; none for others. */
export function partOf(name: string): "train" | "test" | undefined {
  const words = name
    .toLowerCase()
    .replaceAll(/[\s_.-]+/g, " ")
    .trim();
  const core = words
    .replace(/ ?\d{1,4}$/, "")
    .replace(/ ?(?:set|split|data|dataset|images|imgs|pictures|part|folder)$/, "")
    .replace(/^(?:the|my|images|data) /, "");
  return Object.hasOwn(PARTS, core.replaceAll(" ", "")) ? PARTS[core.replaceAll(" ", "")] : undefined;
}

/** How the folders in a folder are read: as classes, as parts of a split, or as their names say, where those say one thing. */
export const folderReadings = ["auto", "classes", "parts"] as const;
export type FolderReading = (typeof folderReadings)[number];
