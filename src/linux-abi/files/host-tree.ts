// A directory of the host that a program may see, as this kernel asks for it: by the names on the way from its top, each of which is an
// entry of a directory. Whoever gives it follows no symbolic link and leaves it by no name.

export interface HostEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  /** Permission bits. */
  readonly mode: number;
  readonly sizeBytes: number;
  /** Of a symbolic link. */
  readonly target: string;
}

export interface HostTree {
  /** The entries of a directory, sorted by name; none where it cannot be read. */
  list(path: readonly string[]): readonly HostEntry[];
  /** The content of a file; undefined where it cannot be read. */
  read(path: readonly string[]): Uint8Array | undefined;
}
