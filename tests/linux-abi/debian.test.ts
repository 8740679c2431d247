// Unmodified programs of Debian's arm64 archive (fetch-debian.sh), static and dynamic: the same standard output, files and exit code as under
// qemu-aarch64.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Comparison, expectTheSame, isComparable, root } from './debian.ts';
import { heddleRun, inFolder, runUnderQemu } from './suite.ts';

const busybox = resolve(root, 'bin/busybox');

const numbers = Array.from({ length: 200 }, (_, n) => `${n + 1}\n`).join('');
const fruit = 'pear 3\napple 10\nfig 2\napple 10\n';

/** Applets of busybox with their arguments; the file `fruit` is their standard input. */
const applets: readonly string[] = [
  'seq 3 9',
  'echo -n hello',
  'printf %05d|%-5s|%x\\n 42 ab 255',
  'expr 6 + 7',
  'basename /x/y.c .c',
  'dirname /x/y',
  'cat numbers',
  'tac',
  'rev',
  'nl',
  'head -n2 numbers',
  'tail -n2 numbers',
  'wc numbers',
  'sort',
  'sort -k2n -r fruit',
  'uniq -c',
  'cut -d. -f1 fruit',
  'tr a-y b-z',
  'od -An -tx1',
  'hexdump -C fruit',
  'xxd fruit',
  'md5sum numbers',
  'sha1sum numbers',
  'sha256sum numbers',
  'sha512sum numbers',
  'sha3sum numbers',
  'cksum numbers',
  'sum numbers',
  'base64 fruit',
  'uuencode fruit',
  'gzip -c',
  'bzip2 -c',
  'grep -n apple fruit',
  'egrep ^(1|2)0$ numbers',
  'fgrep -v fig fruit',
  'sed -n s/a/A/p fruit',
  'awk {n+=$2}END{print(n,NR,sqrt(n),n/7)} fruit',
  'diff numbers fruit',
  'cmp numbers fruit',
  'comm fruit numbers',
  'paste fruit numbers',
  'fold -w4 fruit',
  'expand fruit',
  'unexpand -a fruit',
  'tee copy',
  'split -l100 numbers part-',
  'factor 600851475143',
  'cal 2 2000',
  'date -u -d @86400 +%F',
  'uname -m',
  'true',
  'false',
  'test -f fruit',
  'test 3 -gt 4',
  'touch made',
  'mkdir -p deep/er',
  'mv made deep',
  'cp fruit deep/er',
  'ln -s er deep/link',
  'readlink deep/link',
  'find deep/er',
  'stat -c %s%F fruit',
  'tar cf all.tar fruit',
  'tar tf all.tar',
  'strings -n5 fruit',
  'dd if=numbers bs=16 count=2',
  'truncate -s7 copy',
  'wc -c copy',
  'rm fruit',
  'rmdir deep',
];

/** Dates that an archive or a compressed file holds are those of the run. */
const holdsDate = (applet: string): boolean => applet.startsWith('tar c') || applet.startsWith('gzip');

function fixture(folder: string): void {
  writeFileSync(resolve(folder, 'numbers'), numbers);
  writeFileSync(resolve(folder, 'fruit'), fruit);
  writeFileSync(resolve(folder, 'input'), fruit);
}

const quoted = (command: string): string =>
  command
    .split(' ')
    .map((word) => `'${word}'`)
    .join(' ');

/** Output and exit code of each applet, by one shell that starts them one after the other. */
function appletsUnderHeddle(): string[] {
  return inFolder((folder) => {
    fixture(folder);
    mkdirSync(resolve(folder, 'out'));
    const script = applets.map(
      (applet, n) => `${quoted(applet)} <input >out/${n} 2>/dev/null; echo $? >out/${n}.code\n`,
    );
    writeFileSync(resolve(folder, 'script'), script.join(''));
    heddleRun(['--workdir', folder, busybox, '--', 'sh', 'script']);
    const text = (name: string): string => readFileSync(resolve(folder, 'out', name), 'latin1');
    return applets.map((_, n) => `${text(String(n))}exit ${text(`${n}.code`)}`);
  });
}

const appletsUnderQemu = (): string[] =>
  inFolder((folder) => {
    fixture(folder);
    return applets.map((applet) => {
      const { code, stdout } = runUnderQemu([busybox, ...applet.split(' ')], { cwd: folder, input: fruit });
      return `${stdout}exit ${code}\n`;
    });
  });

const threadScript = [
  'import threading',
  'results = []',
  'lock = threading.Lock()',
  'def work(n):',
  '    with lock: results.append(sum(i * n for i in range(100)))',
  'threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]',
  '[t.start() for t in threads]; [t.join() for t in threads]',
  'print(sorted(results), 2 ** 100, 0.1 + 0.2)',
].join('\n');

const joins = `create table a(id integer primary key, name text); create table b(a integer, n integer);
begin; insert into a(name) values ('x'), ('y'), ('z'); insert into b values (1, 10), (1, 20), (3, 5); commit;
begin; delete from b; rollback; create index i on b(a);
select name, count(n), sum(n), avg(n) from a left join b on b.a = a.id group by name order by name; pragma integrity_check;`;

/** Who opens one end of a named pipe waits for the other. */
const namedPipes = `mkfifo fifo; (cat fifo >got; echo done >>got) & env echo through >fifo; wait; cat got
(sleep 0.01; echo late >fifo) & read x <fifo; echo "got $x"
timeout 0.05 cat fifo; echo "timeout $?"
exec 3<>fifo; echo both >&3; read y <&3; echo "$y"; exec 3>&-
(cat fifo; cat fifo) & echo one >fifo; sleep 0.02; echo two >fifo; wait
trap 'echo signal' USR1; (sleep 0.02; kill -USR1 $$; sleep 0.02; echo end >fifo) & read z <fifo; echo "$z"`;

const cases: readonly (Comparison & { readonly code?: number })[] = [
  {
    program: 'bin/bash',
    words: [
      '-c',
      'f() { local x=$1; echo $((x * 2)); }; for i in {1..3}; do f $i; done; echo ${BASH_VERSION%%.*} "$@"; exit 9',
      'n',
      'a b',
    ],
    code: 9,
  },
  { program: 'bin/bash', words: ['-c', namedPipes], cores: 2, startsOthers: true },
  { program: 'usr/bin/sort', words: ['-n', '-r', '--parallel=4', 'numbers'], cores: 4 },
  { program: 'usr/bin/sha256sum', words: ['numbers', 'fruit'] },
  { program: 'usr/bin/od', words: ['-t', 'f8x4', 'numbers'] },
  { program: 'usr/bin/bc', words: ['-lq'], input: 'scale=30\n4*a(1)\ne(1)\n2^200\n' },
  { program: 'usr/bin/dc', words: ['-e', '20 k 2 v p 3 5 ^ p'] },
  {
    program: 'usr/bin/gawk',
    words: ['{ s[$1] += $2 } END { n = asorti(s, k); for (i = 1; i <= n; i++) print k[i], s[k[i]], sin(i) }', 'fruit'],
  },
  { program: 'usr/bin/perl', words: ['-ne', 's/(\\w+) (\\d+)/$2 $1/; print; END { print 1 / 7, "\\n" }', 'fruit'] },
  {
    program: 'usr/bin/lua5.4',
    words: ['-e', 'local t = {} for i = 1, 9 do t[i] = i ^ 0.5 end print(table.concat(t, " ")) print(math.pi, 7 // 2)'],
  },
  { program: 'usr/bin/openssl', words: ['dgst', '-sha512', 'numbers'] },
  { program: 'usr/bin/xz', words: ['-k', '-T4', '--block-size=256', 'numbers'], cores: 4, makes: ['numbers.xz'] },
  { program: 'usr/bin/zstd', words: ['-q', '-T4', 'numbers'], cores: 4, makes: ['numbers.zst'] },
  { program: 'usr/bin/pigz', words: ['-k', '-n', '-p4', '-b128', 'numbers'], cores: 4, makes: ['numbers.gz'] },
  { program: 'usr/bin/sqlite3', words: ['file.db', joins] },
  { program: 'usr/bin/python3.11', words: ['-S', '-c', threadScript], cores: 2 },
];

if (!isComparable) {
  it('skipped: programs of Debian are not there (tests/linux-abi/fetch-debian.sh), or no qemu-aarch64', () => {
    expect(isComparable).toBe(false);
  });
} else {
  describe('busybox, statically linked,', () => {
    it(`does as under qemu-aarch64 with ${applets.length} applets that one shell starts`, { timeout: 280_000 }, () => {
      const [ours, theirs] = [appletsUnderHeddle(), appletsUnderQemu()];
      for (const [n, applet] of applets.entries()) {
        if (holdsDate(applet)) continue;
        expect(ours[n], applet).toBe(theirs[n]);
      }
    });
  });

  describe('a dynamic executable with its libraries in --sysroot', () => {
    for (const { code, ...comparison } of cases)
      it(
        `does as under qemu-aarch64: ${comparison.program} on ${comparison.cores ?? 1} cores`,
        { timeout: 280_000 },
        () => {
          expectTheSame({ ...comparison, files: { numbers, fruit } }, code);
        },
      );
  });
}
