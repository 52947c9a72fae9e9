import type { Picture } from "./image-raster.ts";

/** A file that images come from, and what tells whether it has changed. */
export type ListedFile = readonly [path: string, bytes: number, modified: number, changed: number, inode: number];

/** Pictures that are ready to be decoded one by one. */
export interface LoadedPictures {
  readonly count: number;
  /** `[count]` */
  readonly labels?: Int32Array;
  readonly classes?: readonly string[];
  /** Names a picture in messages. */
  readonly where: (index: number) => string;
  /** Decodes a picture. Throws UnnoiseError when it is broken. */
  readonly picture: (index: number) => Promise<Picture>;
  /** Things that the user should know. */
  readonly warnings?: readonly string[];
  /** Gives files back to the system. */
  readonly close?: () => void;
}

/** Where the images of one set come from; nothing but names is read before `load`. */
export interface ImageSource {
  readonly name: string;
  readonly files: readonly ListedFile[];
  /** What the way of reading depends on, besides the files. */
  readonly key?: string;
  readonly load: () => Promise<LoadedPictures>;
}

/** The images to learn from, and those that the source holds out. */
export interface ImageSources {
  readonly train: ImageSource;
  readonly test?: ImageSource;
}
