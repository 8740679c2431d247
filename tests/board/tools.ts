import { execFileSync, spawnSync } from 'node:child_process';

/** True if the tool can be started; a test that needs it says "skipped: no …" elsewhere. */
export const hasTool = (name: string): boolean =>
  spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined;

/** Device tree source of a blob, nodes and properties sorted. */
export function decompile(blob: Uint8Array): string {
  return execFileSync('dtc', ['-q', '-s', '-I', 'dtb', '-O', 'dts', '-'], { input: blob, encoding: 'utf8' });
}

/** The lines of each node of a decompiled tree, by the node's path. */
export function nodesOf(source: string): Map<string, string[]> {
  const nodes = new Map<string, string[]>();
  const path: string[] = [];
  for (const line of source.split('\n').map((text) => text.trim())) {
    if (line.endsWith('{')) {
      path.push(line.slice(0, -1).trim());
      nodes.set(path.join('/'), []);
    } else if (line === '};') path.pop();
    else if (line !== '' && path.length > 0) nodes.get(path.join('/'))?.push(line);
  }
  return nodes;
}
