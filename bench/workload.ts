// The files that Linux programs of the benchmark work on: made anew for each benchmark, the same bytes each time.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const textBytes = 96 << 20;
const words = 4000;

/** Text of few frequent words and many rare ones, as languages have it: a compressor finds about what it finds in prose. */
function text(): string {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const letter = (): string => String.fromCharCode(97 + Math.floor(next() * 26));
  const vocabulary = Array.from({ length: words }, (_, n) => Array.from({ length: 3 + (n % 7) }, letter).join(''));
  const parts: string[] = [];
  for (let bytes = 0; bytes < textBytes;) {
    const word = vocabulary[Math.floor(next() ** 2 * words)] ?? '';
    parts.push(word, next() < 0.9 ? ' ' : '\n');
    bytes += word.length + 1;
  }
  return parts.join('').slice(0, textBytes);
}

const python = `
def sieve(n):
    marks = bytearray([1]) * (n + 1)
    for i in range(2, int(n ** 0.5) + 1):
        if marks[i]:
            for j in range(i * i, n + 1, i):
                marks[j] = 0
    return sum(marks[2:])

class Node:
    def __init__(self, value):
        self.value, self.left, self.right = value, None, None

def insert(node, value):
    if node is None:
        return Node(value)
    if value < node.value:
        node.left = insert(node.left, value)
    else:
        node.right = insert(node.right, value)
    return node

def depth(node):
    return 0 if node is None else 1 + max(depth(node.left), depth(node.right))

print(sieve(1440000))
root, seed = None, 1
for n in range(36000):
    seed = (seed * 1664525 + 1013904223) % 2 ** 32
    root = insert(root, seed)
print(depth(root))
words = {}
for n in range(480000):
    seed = (seed * 1664525 + 1013904223) % 2 ** 32
    word = "w%d" % (seed >> 22)
    words[word] = words.get(word, 0) + 1
print(sorted(words.items(), key=lambda item: (-item[1], item[0]))[:3])
`;

/** A table of 60,000 rows with an index, joined with itself in three ways, and changed in one transaction. */
const sql = `
create table item(id integer primary key, parent integer, name text, weight real);
begin;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000)
  insert into item select i, i * 7919 % 3671, 'name ' || (i * 7919 % 30011), i * 0.37 from n;
commit;
create index by_parent on item(parent);
select count(*), sum(a.weight * b.weight) from item a join item b on a.parent = b.parent and a.id < b.id;
select parent, count(*), max(name) from item group by parent order by 2 desc, 1 limit 5;
begin;
update item set weight = weight + 1 where id % 3 = 0;
delete from item where name like '%77%';
commit;
select count(*), round(sum(weight), 3), min(name) from item;
select sum(length(a.name)) from item a left join item b on b.id = a.parent where b.name > a.name;
`;

/** The folder that programs start in, with its files. The caller removes it. */
export function makeWorkFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-bench-'));
  writeFileSync(join(folder, 'text'), text());
  writeFileSync(join(folder, 'program.py'), python);
  writeFileSync(join(folder, 'script.sql'), sql);
  return folder;
}
