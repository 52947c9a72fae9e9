/** Data of a study. */
export interface DataSource {
  /** The name of a toy set or the path of a file. */
  readonly data: string;
  /** SHA-256 of a file's content, so that results of another content are not taken for its own; null for a toy set. */
  readonly digest: string | null;
}
