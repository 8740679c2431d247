// Scripts for shells, and what they start: pipes, here documents, traps, background jobs, substitutions, arithmetic, arrays.

import { describe, it } from 'vitest';
import { comparisonMs, type Comparison, expectTheSame } from '../debian.ts';

const files = {
  fruit: 'pear 3\napple 10\nfig 2\napple 10\n',
  numbers: Array.from({ length: 200 }, (_, n) => `${n + 1}\n`).join(''),
};

/** What POSIX says: for bash, dash and busybox alike. */
const posix = String.raw`
set -u
total=0
while read -r name count; do total=$((total + count)); echo "$name:$count"; done <fruit
echo "total $total"
sort fruit | uniq -c | sort -rn | sed 's/^ *//' | while read -r n rest; do echo "$n <$rest>"; done
cat <<END | tr a-z A-Z
home is $HOME and $(echo a substitution) and $((6 * 7))
END
cat <<'END'
not $this $(nor that)
END
cat <<-END
	without tabs
	END
trap 'echo leaving $?' EXIT
trap 'echo got USR1' USR1
kill -USR1 $$
(trap 'echo in the subshell; exit 4' TERM; sleep 5 & kill -TERM $(sh -c 'echo $PPID'); wait; echo never)
echo "subshell $?"
(sleep 0.02; exit 7) & first=$!
(exit 5) & second=$!
wait $second; echo "second $?"
wait $first; echo "first $?"
for i in 1 2 3; do (sleep 0.0$i; echo "job $i" >job$i) & done; wait; cat job?; rm job?
f() { local v=inside; echo "$v $# $*"; return 3; }
v=outside; f a 'b c' d; echo "$? $v"
case abc.tar.gz in *.zip) echo zip ;; *.tar.*) echo tar ;; esac
path=/usr/lib/x.so.1; echo "\${path##*/} \${path%%.*} \${path%/*} \${unset:-default} \${#path}"
set -- one 'two words' three; for w; do echo "[$w]"; done; shift 2; echo "$1 $#"
i=0; until [ $i -ge 5 ]; do i=$((i + 1)); [ $i = 2 ] && continue; [ $i = 4 ] && break; echo $i; done
printf '%s-%03d\n' a 1 b 22
find . -name 'f*' -o -name 'n*' | sort | xargs cat | wc -l
head -n 3 numbers | (read a; read b; echo "$b$a"; cat)
seq 1 20 | xargs -n 5 echo | cut -d' ' -f2,4 | paste -sd, -
{ echo to stdout; echo to stderr >&2; } 2>err >out; cat out err
exec 3>three; echo through three >&3; exec 3>&-; cat three
echo "$(echo "nested $(echo "twice")")" BACKQUOTEecho oldBACKQUOTE
eval 'x=evaluated'; echo $x
if ! grep -q nothing fruit; then echo absent; fi
false || true && echo and-or
! true; echo "not $?"
yes | head -n 2
cat missing 2>/dev/null; echo "missing $?"
sh -c 'exit 9'; echo "child $?"
sh -c 'kill -KILL $$'; echo "killed $?"
no-such-command 2>/dev/null; echo "unknown $?"
umask 027; touch masked; stat -c %a masked
cd /; pwd; cd - >/dev/null
readonly fixed=1; (fixed=2) 2>/dev/null; echo "readonly $?"
while getopts ab: option -a -b value; do echo "$option \${OPTARG:-}"; done
echo 'a:b:c' | (IFS=:; read x y z; echo "$z$y$x")
test -d . -a ! -f missing && echo tested
exit 6
`
  .replaceAll('\\${', '${')
  .replaceAll('BACKQUOTE', '`');

const bashOnly = String.raw`
declare -A stock; while read -r k v; do (( stock[$k] += v )); done <fruit
for k in $(printf '%s\n' "\${!stock[@]}" | sort); do echo "$k=\${stock[$k]}"; done
a=(z y x "w v"); a+=(u); echo "\${#a[@]} \${a[-1]} \${a[@]:1:2}"; unset 'a[1]'; echo "\${!a[*]}"
mapfile -t lines <numbers; echo "\${#lines[@]} \${lines[199]}"
[[ 2024-05-06 =~ ^([0-9]+)-([0-9]+) ]] && echo "\${BASH_REMATCH[2]}/\${BASH_REMATCH[1]}"
[[ abc == a* && ! b < a ]] && echo matched
diff <(sort fruit) <(sort -u fruit)
s=HelloWorld; echo "\${s,,} \${s^^} \${s/o/0} \${s//o/0} \${s:2:3}"
for ((i = 0, j = 10; i < j; i += 3, j--)); do printf '%d,%d ' $i $j; done; echo
printf -v padded '%06.2f' 3.14159; echo "$padded"
coproc { while read -r line; do echo "<$line>"; done; }
echo into the coprocess >&"\${COPROC[1]}"; read -r back <&"\${COPROC[0]}"; echo "$back"
exec {COPROC[1]}>&-; wait
set -o pipefail; true | false | true; echo "$? \${PIPESTATUS[*]}"; set +o pipefail
trap 'echo "line failed: $BASH_COMMAND"' ERR; false; trap - ERR
read -r -d '' text <<'END' || true
two
lines
END
echo "$text"
cat <<<"a here string"
echo {a..e..2}{1,2} $((16#ff)) $((2 ** 40)) $(( (5 > 3) ? 1 : 0 ))
fibonacci() { if (( $1 < 2 )); then echo $1; else echo $(( $(fibonacci $(($1 - 1))) + $(fibonacci $(($1 - 2))) )); fi; }
fibonacci 7
shopt -s extglob nullglob
echo +(f|n)*; echo *.none
select choice in red green; do echo "$choice"; break; done <<<2 2>/dev/null
ulimit -n >/dev/null; type -t cd ls fibonacci | sort
for n in 2 0 1; do { sleep 0.$n; exit $n; } & done; wait -n; echo "first of all: $?"; wait
trap 'echo child ended' CHLD; (exit 1) & wait $!; trap - CHLD
time -p true 2>/dev/null
printf '%(%Y)T\n' 86400
echo $RANDOM >/dev/null; RANDOM=42; echo $RANDOM $RANDOM
enable -n echo; echo from the file
`.replaceAll('\\${', '${');

const make = {
  ...files,
  Makefile: `SHELL = bash
parts = one.o two.o three.o
all: program
program: $(parts)
\tcat $^ >$@
%.o: %.c
\ttr a-z A-Z <$< >$@
three.c:
\techo made by a rule >$@
.PHONY: clean
clean: ; rm -f *.o program
`,
  'one.c': 'first\n',
  'two.c': 'second\n',
};

const scripts: readonly (Omit<Comparison, 'startsOthers'> & { readonly name: string; readonly code?: number })[] = [
  { name: 'a POSIX script', program: 'bin/bash', words: ['script'], files: { ...files, script: posix }, code: 6 },
  { name: 'a POSIX script', program: 'bin/dash', words: ['script'], files: { ...files, script: posix }, code: 6 },
  // An applet that qemu-aarch64 starts is itself, and so it is dash that says what is right.
  {
    name: 'a POSIX script, as dash does',
    program: 'bin/busybox',
    words: ['sh', 'script'],
    underQemu: { program: 'bin/dash', words: ['script'] },
    files: { ...files, script: posix },
    code: 6,
  },
  {
    name: 'what only bash has',
    program: 'bin/bash',
    words: ['script'],
    files: { ...files, script: bashOnly },
    cores: 2,
  },
  {
    name: 'four jobs of make',
    program: 'usr/bin/make',
    words: ['-j4', '-O'],
    files: make,
    cores: 4,
    makes: ['program'],
    // Jobs end in any order, and are printed when they do.
    comparable: (stdout) => stdout.split('\n').sort().join('\n'),
  },
];

describe('a shell script', () => {
  for (const { name, code, ...comparison } of scripts)
    it(`does as under qemu-aarch64: ${name}, ${comparison.program}`, { timeout: comparisonMs }, () => {
      expectTheSame({ ...comparison, startsOthers: true }, code);
    });
});
