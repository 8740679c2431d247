import { describe, expect, test } from 'vitest';
import { consoleLines } from '../../workers/console-lines.ts';

/** What has been sent, in messages, as `source:text`. */
function listener(isAlone = true): { readonly sent: string[]; readonly lines: ReturnType<typeof consoleLines> } {
  const sent: string[] = [];
  const lines = consoleLines((bytes, source) => {
    sent.push(`${source ?? ''}:${new TextDecoder().decode(bytes)}`);
  }, isAlone);
  return { sent, lines };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('console bytes are gathered into lines', () => {
  test('characters that come one by one leave as one message when their line ends', () => {
    const { sent, lines } = listener();
    for (const character of 'hello\n') lines.write(bytes(character));
    expect(sent).toEqual([':hello\n']);
  });

  test('a prompt leaves when nothing has come for some windows, and not before', () => {
    const { sent, lines } = listener();
    lines.write(bytes('login: '));
    for (let window = 0; window < 31; window += 1) lines.windowPassed();
    lines.write(bytes('r'));
    for (let window = 0; window < 31; window += 1) lines.windowPassed();
    expect(sent).toEqual([]);
    lines.windowPassed();
    expect(sent).toEqual([':login: r']);
    for (let window = 0; window < 64; window += 1) lines.windowPassed();
    expect(sent).toEqual([':login: r']);
  });

  test('what another console says does not overtake an unfinished line, nor join it', () => {
    const { sent, lines } = listener();
    lines.write(bytes('half'), 'vm1');
    lines.write(bytes('whole\n'), 'vm2');
    lines.write(bytes('rest'), 'vm1');
    lines.flush();
    lines.flush();
    expect(sent).toEqual(['vm1:half', 'vm2:whole\n', 'vm1:rest']);
  });

  test('beside other threads nothing waits longer than its window', () => {
    const { sent, lines } = listener(false);
    lines.write(bytes('a'));
    lines.windowPassed();
    lines.write(bytes('b'));
    lines.windowPassed();
    expect(sent).toEqual([':a', ':b']);
  });

  test('a line of any length arrives whole', () => {
    const { sent, lines } = listener();
    const text = Array.from({ length: 10_000 }, (_, n) => String.fromCharCode(97 + (n % 26))).join('');
    lines.write(bytes(text));
    lines.flush();
    expect(sent.map((part) => part.slice(1)).join('')).toBe(text);
  });
});
