// Several consoles on one terminal: whole lines, each with the name of its source before it, in the order in which they are complete.

export interface ConsoleLines {
  write(source: string, bytes: Uint8Array): void;
  /** Lines that were begun and not ended. */
  end(): void;
  /** Everything that each source has written, in the order of their first words. */
  texts(): Record<string, string>;
}

/** A line that is longer is shown in pieces. */
const longestLine = 4096;

export function consoleLines(print: (text: string) => void): ConsoleLines {
  const begun = new Map<string, string>();
  const all = new Map<string, string>();
  const decoders = new Map<string, InstanceType<typeof TextDecoder>>();
  const show = (source: string, line: string): void => {
    print(`[${source}] ${line.replace(/\r/g, '')}\n`);
  };
  return {
    write: (source, bytes) => {
      const decoder = decoders.get(source) ?? new TextDecoder();
      decoders.set(source, decoder);
      const text = decoder.decode(bytes, { stream: true });
      all.set(source, (all.get(source) ?? '') + text);
      const lines = ((begun.get(source) ?? '') + text).split('\n');
      const rest = lines.pop() ?? '';
      for (const line of lines) show(source, line);
      begun.set(source, rest.length < longestLine ? rest : '');
      if (rest.length >= longestLine) show(source, rest);
    },
    end: () => {
      for (const [source, line] of begun) if (line !== '') show(source, line);
      begun.clear();
    },
    texts: () => Object.fromEntries(all),
  };
}
