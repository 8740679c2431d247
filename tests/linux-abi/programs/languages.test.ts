// Longer programs in the languages that Debian has interpreters and compilers for: virtual machines, garbage collectors, and code that is made
// while it runs.

import { describe, it } from 'vitest';
import { comparisonMs, type Comparison, expectTheSame } from '../debian.ts';
import { proseOf } from './text.ts';

const files = { text: proseOf(100_000) };

const perl = String.raw`
use strict; use warnings; use List::Util qw(sum max reduce); use POSIX qw(floor);
my %count; open my $in, '<', 'text' or die; while (<$in>) { $count{$_}++ for split /\W+/ } close $in;
my @top = (sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count)[0 .. 9]; print "$_ $count{$_}\n" for @top;
my @sieve = (1) x 5000; for my $i (2 .. 70) { next unless $sieve[$i]; for (my $j = $i * $i; $j < 5000; $j += $i) { $sieve[$j] = 0 } }
print scalar(grep { $sieve[$_] } 2 .. 4999), "\n";
my $fib; $fib = sub { my $n = shift; $n < 2 ? $n : $fib->($n - 1) + $fib->($n - 2) }; print $fib->(15), "\n";
my $text = 'the quick brown fox'; (my $t = $text) =~ s/(\w)(\w*)/\U$1\L$2/g; print "$t\n"; print join('|', $text =~ /(?<=\s)(\w)/g), "\n";
printf "%.10f %e %s %b %o\n", sqrt(2), 1 / 3, 1e21, 10, 64; print pack('NnC a3', 1, 2, 3, 'xyz') eq "\0\0\0\1\0\2\3xyz" ? "packed\n" : "not\n";
my $pid = fork; if (!$pid) { exit 3 } waitpid $pid, 0; print $? >> 8, "\n"; local $SIG{ALRM} = sub { die "alarm\n" };
eval { alarm 1; select undef, undef, undef, 5; }; print $@; pipe my $r, my $w; if (!fork) { close $r; print $w "piped\n"; exit } close $w; print <$r>;
package Shape { sub new { my ($c, %a) = @_; bless {%a}, $c } sub area { 0 } } package Square { our @ISA = 'Shape'; sub area { $_[0]{s} ** 2 } }
print Square->new(s => 3)->area, "\n"; print sprintf('%vd', '1.22.333'), "\n"; my @sorted = sort { $a <=> $b } map { ($_ * 7919) % 1009 } 1 .. 500; print "@sorted[0..4]\n";
`;

const awk = String.raw`
{ for (i = 1; i <= NF; i++) count[length($i)]++; letters += gsub(/[aeiou]/, "&") }
function gcd(a, b) { return b ? gcd(b, a % b) : a }
END {
  for (i = 1; i <= 12; i++) printf "%d:%d ", i, count[i]; print "";
  print NR, letters, gcd(1071, 462), substr("hello", 2, 3), index("hello", "l"), toupper("x"), match("foobar", /o+/), RSTART, RLENGTH
  for (n = 2; n < 2000; n++) if (!composite[n]) { primes++; for (m = n * n; m < 2000; m += n) composite[m] = 1 } print primes
  printf "%.6f %.6f %.6f %d %5.2e\n", sin(1), exp(1), atan2(1, 2), int(-3.7), 12345.678; split("a:b:c", parts, ":"); print parts[3]
  while (("seq 3" | getline line) > 0) print "from a command", line; print "sorted b\nsorted a" | "sort"; close("sort")
}
`;

const python = String.raw`
import collections, functools, hashlib, heapq, itertools, json, os, queue, re, struct, threading
words = re.findall(r'\w+', open('text').read()); print(collections.Counter(words).most_common(5))
print(json.dumps(json.loads('{"b": [1, 2.5, null, true, "\\u00e9"], "a": {}}'), sort_keys=True))
q = queue.Queue(); results = []; lock = threading.Lock()
def worker():
    while (item := q.get()) is not None:
        with lock: results.append(hashlib.sha256(str(item).encode()).hexdigest()[:8])
threads = [threading.Thread(target=worker) for _ in range(4)]
[t.start() for t in threads]; [q.put(i) for i in range(40)]; [q.put(None) for _ in threads]; [t.join() for t in threads]
print(sorted(results)[:5], len(results)); ready = threading.Event(); threading.Timer(0.01, ready.set).start(); print(ready.wait(5))
class Point(collections.namedtuple('Point', 'x y', defaults=[0.5])): __slots__ = ()
@functools.cache
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
print(sorted([Point(2), Point(1, 3)]), fib(200), 3 ** 300 % (10 ** 9 + 7), struct.pack('<Ihd', 7, -2, 1.5).hex())
heap = [(i * 7919) % 101 for i in range(50)]; heapq.heapify(heap); print([heapq.heappop(heap) for _ in range(5)])
print(list(itertools.islice(itertools.permutations('abcd'), 3)), f'{3.14159:>10.3f}|{255:#x}|{"mid":^9}|{1e100:.3g}')
r, w = os.pipe()
if os.fork() == 0: os.write(w, b'from the child'); os._exit(4)
print(os.read(r, 100), os.waitstatus_to_exitcode(os.wait()[1]))
os.mkdir('d'); open('d/f', 'w').write('x' * 5000); print(os.listdir('d'), os.path.getsize('d/f')); os.rename('d/f', 'd/g'); os.remove('d/g'); os.rmdir('d')
def matrix(n): return [[(i * j) % 7 for j in range(n)] for i in range(n)]
a = matrix(20); print(sum(sum(x * y for x, y in zip(row, column)) for row in a for column in zip(*a)))
try: 1 / 0
except ZeroDivisionError as error: print(type(error).__name__, error)
print(os.popen('echo through a shell').read(), end=''); raise SystemExit(5)
`;

const lua = String.raw`
local function sieve(n) local t = {} for i = 2, n do t[i] = true end for i = 2, math.floor(n ^ 0.5) do if t[i] then for j = i * i, n, i do t[j] = false end end end
local c = 0 for i = 2, n do if t[i] then c = c + 1 end end return c end
print(sieve(20000))
local counts = {} for line in io.lines('text') do for w in line:gmatch('%a+') do counts[w] = (counts[w] or 0) + 1 end end
local names = {} for k in pairs(counts) do names[#names + 1] = k end table.sort(names, function(a, b) if counts[a] ~= counts[b] then return counts[a] > counts[b] end return a < b end)
for i = 1, 5 do print(names[i], counts[names[i]]) end
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i * i) end end) print(co(), co(), co())
local V = setmetatable({}, {__index = function(_, k) return k .. '!' end, __call = function(_, a) return a * 2 end}) print(V.x, V(21))
print(pcall(error, {code = 2}), select('#', 1, nil, 3), ('%5.2f|%-6s|%q'):format(3.14159, 'ab', 'q"x')) print(string.rep('ab', 3, ','))
local x = 0 for i = 1, 300000 do x = (x * 31 + i) % 1000003 end print(x) local s = 0.0 for i = 1, 100000 do s = s + 1.0 / i end print(('%.12f'):format(s))
`;

const ruby = String.raw`
words = File.read('text').scan(/\w+/); p words.tally.max_by(5) { |w, n| [n, w] }
q = Queue.new; t = 3.times.map { |i| Thread.new { 5.times { |j| q << i * j } } }; t.each(&:join); p q.size
def fib(n) = n < 2 ? n : fib(n - 1) + fib(n - 2)
p fib(16), 2**200, 10.0 / 3, 'ruby'.tr('a-y', 'b-z'), (1..Float::INFINITY).lazy.select(&:even?).first(3)
puts format('%08.3f|%x|%s', 3.14159, 255, :sym); begin; Integer('x'); rescue ArgumentError => e; puts e.message; end
r, w = IO.pipe; pid = fork { w.puts 'child'; exit! 3 }; Process.wait pid; p $?.exitstatus, r.gets; p [3, 1, 2].sort.each_slice(2).to_a, {a: 1}.merge(b: 2)
puts %x(echo from a shell); e = Fiber.new { Fiber.yield 1; 2 }; p e.resume, e.resume; 20000.times { 'x' * 100 }; GC.start; puts 'collected'; exit 2
`;

const tcl = String.raw`
proc fib {n} { if {$n < 2} { return $n }; expr {[fib [expr {$n - 1}]] + [fib [expr {$n - 2}]]} }
puts [fib 14]; puts [expr {2 ** 100 % 1000007}]; puts [lsort -integer {10 9 2 33}]; set f [open text]; set n 0
while {[gets $f line] >= 0} { incr n [regexp -all {[aeiou]} $line] }; puts $n; array set a {x 1 y 2}; foreach k [lsort [array names a]] { puts "$k=$a($k)" }
puts [string map {a 1 b 2} abcab]; puts [exec echo from a program]; after 10 { set done 1 }; vwait done; puts [dict get {a {b c}} a b]; catch { error oops } m; puts $m; exit 4
`;

const c = String.raw`
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static long sums[4];
static void *work(void *p) { long n = (long)p; for (long i = 0; i < 200000; i++) sums[n] += i ^ n; return 0; }
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int main(int argc, char **argv) {
  pthread_t t[4]; for (long i = 0; i < 4; i++) pthread_create(&t[i], 0, work, (void *)i);
  for (int i = 0; i < 4; i++) { pthread_join(t[i], 0); printf("%ld\n", sums[i]); }
  int v[1000]; for (int i = 0; i < 1000; i++) v[i] = i * 7919 % 1009; qsort(v, 1000, sizeof *v, compare); printf("%d %d\n", v[0], v[999]);
  double x = 0; for (int i = 1; i < 1000; i++) x += sin(i) / i; printf("%.12f %Lf %s\n", x, (long double)1 / 3, argc > 1 ? argv[1] : ""); return 7;
}
`;

const scheme = String.raw`
(use-modules (srfi srfi-1) (ice-9 regex))
(define (fib n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))) (display (fib 15)) (newline)
(display (fold + 0 (iota 100))) (newline) (write (expt 7 77)) (newline) (write (exact->inexact 22/7)) (newline) (write (map match:substring (list-matches "[0-9]+" "a1b22c333"))) (newline)
(write (call-with-current-continuation (lambda (k) (for-each (lambda (x) (if (> x 2) (k x))) '(1 2 3 4)) 'none))) (newline)
(let loop ((i 0) (s '())) (if (< i 20000) (loop (+ i 1) (cons i s)) (begin (write (length s)) (newline)))) (exit 3)
`;

const numbers = `scale = 40
define p(n) { auto i, s; s = 0; for (i = 0; i < n; i++) { s += (4 / (8 * i + 1) - 2 / (8 * i + 4) - 1 / (8 * i + 5) - 1 / (8 * i + 6)) / 16 ^ i }; return s }
p(30)
sqrt(2)
l(10)
scale = 0
2 ^ 521 % 1000000007
obase = 16
255 * 255
`;

interface Program extends Comparison {
  readonly name: string;
  readonly code?: number;
}

const script = (name: string, program: string, text: string, code = 0, more: Partial<Comparison> = {}): Program => ({
  name,
  program,
  words: ['program'],
  files: { ...files, program: text },
  startsOthers: true,
  code,
  ...more,
});

const programs: readonly Program[] = [
  script('Perl', 'usr/bin/perl', perl, 0, { cores: 2 }),
  script('gawk', 'usr/bin/gawk', awk, 0, { words: ['-f', 'program', 'text'] }),
  script('mawk', 'usr/bin/mawk', awk, 0, { words: ['-f', 'program', 'text'] }),
  script("Kernighan's awk", 'usr/bin/original-awk', awk, 0, { words: ['-f', 'program', 'text'] }),
  script('Python', 'usr/bin/python3.11', python, 5, { cores: 4 }),
  script('Lua', 'usr/bin/lua5.4', lua),
  script('LuaJIT', 'usr/bin/luajit', lua),
  script('Ruby', 'usr/bin/ruby3.1', ruby, 2, { cores: 2 }),
  script('Tcl', 'usr/bin/tclsh8.6', tcl, 4),
  script('Guile', 'usr/bin/guile-3.0', scheme, 3, { words: ['--no-auto-compile', 'program'] }),
  script('C, compiled and run by tcc', 'usr/bin/tcc', c, 7, {
    words: ['-lm', '-lpthread', '-run', 'program.c', 'word'],
    files: { 'program.c': c },
    cores: 4,
  }),
  { name: 'bc', program: 'usr/bin/bc', words: ['-lq'], input: numbers },
];

describe('a program in', () => {
  for (const { name, code, ...comparison } of programs)
    it(`${name} does as under qemu-aarch64`, { timeout: comparisonMs }, () => {
      expectTheSame(comparison, code);
    });
});
