// Pages that several address spaces have in common, or that are a file's.

export interface SharedPages {
  /** Frames by page of the object; each of them has a reference of its own here. */
  readonly frames: Map<number, number>;
}
