// Names in paths.

/** What is after the last slash. */
export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
