/** The operator page's files as they are served. Reads none of them. */
export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
}

/** `index` names its other files by the hash of what is in them. */
export interface PageFiles {
  readonly index: PageFile;
  /** Changes whenever anything of the page does. */
  readonly version: string;
  readonly assets: ReadonlyMap<string, PageFile>;
}
