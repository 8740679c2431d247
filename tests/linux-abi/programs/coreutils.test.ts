// Each command of coreutils, started by one bash: its standard output and its exit code.
//
// What tells of the machine, of the user or of the run (processors, mounted file systems, PIDs, dates) is asked in a form whose answer is the
// same on both.

import { describe, it } from 'vitest';
import { comparisonMs, type Comparison, expectTheSame } from '../debian.ts';

const fruit = 'pear 3\napple 10\nfig 2\napple 10\n';
const files = {
  fruit,
  numbers: Array.from({ length: 200 }, (_, n) => `${n + 1}\n`).join(''),
  colours: '1 red\n2 green\n4 blue\n',
  sizes: '1 S\n3 M\n4 L\n',
  tabs: 'a\tbc\td\n\te\n',
  pairs: 'shirt tie\ntie jacket\ntrousers shoes\ntrousers belt\nbelt jacket\n',
};

/** A line each; they share a folder, one after the other. */
const commands = String.raw`
[ 3 -lt 4 -a -f fruit ]
[ 3 -gt 4 ]
arch
b2sum -l 128 fruit
base32 fruit
base64 -w 20 fruit
base64 fruit | base64 -d
basename /a/b.txt .txt
basename -a x/y z/w
basenc --z85 -w0 </dev/null
basenc --base16 fruit
cat -A tabs
cat -n fruit tabs
touch plain; chmod 640 plain; stat -c %a plain
chmod u=rwx,go= plain; stat -c %A plain
chmod a+x missing
chown --reference=fruit plain
chgrp --version | head -n1
cksum fruit numbers
cksum -a sm3 fruit
comm -3 <(sort -u fruit) <(sort fruit)
cp fruit copy; mkdir all; cp -r fruit numbers all; cp -a all all2; ls all2
cp missing copy
csplit -s -f piece numbers 50 '/150/'; cat piece00 | wc -l; cat piece02 | head -n1
cut -c2-4,6 fruit
cut -d' ' -f2 --complement fruit
cut -d' ' -f1,2 --output-delimiter=: fruit
date -u -d '2001-02-03 04:05:06 + 3 days' '+%F %T %j %a %U'
date -u -d @1e9
date -u -d 'tomorrow yesterday nonsense'
dd if=numbers of=part bs=7 skip=3 count=9 status=none; cat part
dd if=fruit conv=ucase,swab status=none
df --output=target / | head -n1
dir -w 40 -C
TERM=xterm dircolors -b | wc -l
dirname /a/b/c d e/
du --apparent-size -b fruit
env echo -e 'a\tb\x41\0102'
env -i A=1 B=2 env
expand -t 4 tabs
expr 17 % 5 + 2 \* 3
expr abcdef : 'a\(.*\)e'
expr length hello = 6
factor 1 12 97 1001 18446744073709551557 170141183460469231731687303715884105727
false
fmt -w 12 fruit
fold -s -w 5 fruit
groups | wc -l
head -c 10 numbers
head -qn 1 fruit numbers
head -n -195 numbers
hostid | tr 0-9a-f x
id -u nobody-such
id --version | head -n1
install -m 600 -D fruit new/place; stat -c '%a %s' new/place
join colours sizes
join -a1 -a2 -e- -o0,1.2,2.2 colours sizes
ln -s fruit soft; readlink soft
ln fruit hard; stat -c %h fruit
link fruit hard2; stat -c %h hard2
logname
ls -1 --group-directories-first
ls -m
ls missing
md5sum fruit numbers | tee sums; md5sum -c sums
mkdir -p -m 750 made/deep; stat -c '%a %F' made made/deep
mkdir made
mkfifo fifo; stat -c %F fifo; rm fifo
mktemp -u aXXXX | wc -c
mv copy moved; ls moved copy
nice -n 5 env echo nice
nl -ba -w3 -s: tabs
nohup env echo kept
nproc --ignore=1000000
numfmt --to=iec 1024 1500000 7
numfmt --from=si 1K 2.5M
numfmt --field=2 --to=si --format=%.3f 'a 123456'
od -A x -t x1z fruit
od -t d2 -N 8 numbers
od -t fD -N 16 numbers
od -t a -j 4 -w8 fruit
paste -d, fruit numbers | head -n 5
paste -s -d+ numbers | tail -c 12
pathchk -p 'a*b'
pathchk fruit
pinky -l root | head -c 6
pr -t -2 -l 10 numbers | head -n 5
pr -h title -l 20 fruit | tail -n +4
printenv HOME
printenv NOT_THERE
env printf '%s|%-8s|%08.3f|%x|%c|%q\n' a b 3.14159 255 xyz 'a b'
env printf '%d %o\n' 0x1f 9 12
ptx -w 30 fruit
pwd | grep -c /
readlink -f soft | xargs basename
realpath --relative-to=. made/deep/..
rm -r made; ls made
rm missing
rm -f missing
rmdir new
rmdir new/place
seq 5 -2 -3
seq -w 8 11
seq -f %.2f -s, 1 .25 2
sha1sum fruit
sha224sum fruit
sha256sum --tag fruit
sha384sum fruit
sha512sum -b fruit
shred -n1 -z -s 4K shredded; stat -c %s shredded; od -An -tx1 shredded
shuf --random-source=numbers -i 1-9
shuf -n 2 --random-source=numbers fruit
sleep 0.001
sleep x
sort fruit
sort -t' ' -k2,2nr -k1,1 -u fruit
sort -c numbers
sort -V <<<$'a10\na9\na1.2'
sort -M <<<$'mar\njan\nFEB'
sort -h <<<$'2K\n1G\n3M'
sort -R --random-source=numbers fruit
split -n l/3 -d numbers chunk; wc -l chunk*
split -b 100 --filter='wc -c' numbers
stat -c '%n %s %F %h %a' fruit soft
stat missing
stdbuf -oL head -n1 fruit
stty size
sum fruit; sum -s fruit
sync fruit
tac -s ' ' fruit
tail -n +198 numbers
tail -c 5 numbers
tee a b <fruit; cat a b | wc -l
test -s fruit -a ! -d fruit
test 1 = 2
timeout 5 env echo in time
timeout 0.01 sleep 60
timeout -s KILL 0.01 sleep 60
touch -d '2001-02-03 04:05:06 UTC' dated; TZ=UTC0 date -r dated +%F
touch missing/file
tr -d aeiou <fruit
tr '[:lower:]' '[:upper:]' <fruit
tr -s p <fruit
tr -cs '[:alnum:]' '\n' <fruit
true
truncate -s 100 cut; stat -c %s cut
tsort pairs
tsort <<<'a b b a'
tty
uname -sm
unexpand -a -t 4 tabs
uniq -c fruit
uniq -d <(sort fruit)
uniq -f1 -w2 fruit
unlink hard2; ls hard2
users /dev/null
vdir --version | head -n1
wc -lwcL fruit numbers
wc --files0-from=- <<<''
who /dev/null
whoami --version | head -n1
yes ab | head -n 3
chroot --version | head -n1
`
  .trim()
  .split('\n');

/** Every command in a subshell, then its exit code; what is put on standard error is not compared. */
const script = commands
  .map((command, n) => `echo '== ${n}'; ( ${command}\n) 2>/dev/null </dev/null; echo "exit $?"\n`)
  .join('');

const comparison: Comparison = {
  program: 'bin/bash',
  words: ['script'],
  files: { ...files, script },
  startsOthers: true,
};

describe('coreutils', () => {
  it(`does as under qemu-aarch64 in ${commands.length} commands`, { timeout: comparisonMs }, () => {
    expectTheSame({
      ...comparison,
      // The command beside its number, so that a difference shows whose it is.
      comparable: (stdout) => stdout.replaceAll(/^== (\d+)$/gm, (_, n: string) => `== ${commands[Number(n)]}`),
    });
  });
});
