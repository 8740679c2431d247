// Tools that are greater than one command: a database, searches in Rust with a thread for each core, a program in Go, editors.

import { describe, it } from 'vitest';
import { comparisonMs, type Comparison, expectTheSame } from '../debian.ts';
import { proseOf } from './text.ts';

const fruit = 'pear 3\napple 10\nfig 2\napple 10\n';
const files = { fruit, text: proseOf(200_000) };

interface Tool extends Comparison {
  readonly name: string;
  readonly code?: number;
}

/** Commands in one bash. */
const commands = (name: string, text: string, more: Partial<Tool> = {}): Tool => ({
  name,
  program: 'bin/bash',
  words: ['script'],
  files: { ...files, script: text },
  startsOthers: true,
  ...more,
});

const sqlite = `pragma journal_mode = wal; pragma foreign_keys = on;
create table customer(id integer primary key, name text unique, city text collate nocase);
create table sale(id integer primary key, customer integer references customer(id) on delete cascade, cents integer check (cents > 0), day text);
begin; with recursive n(i) as (select 1 union all select i + 1 from n where i < 200)
insert into customer select i, 'name' || i, case i % 3 when 0 then 'Oslo' when 1 then 'oslo' else 'Rome' end from n; commit;
begin; with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
insert into sale(customer, cents, day) select i * 7919 % 200 + 1, i * 31 % 997 + 1, date('2000-01-01', '+' || (i % 365) || ' days') from n; commit;
create index by_customer on sale(customer, day);
select city, count(distinct c.id), sum(cents), round(avg(cents), 3) from customer c join sale s on s.customer = c.id group by city order by 3 desc;
select name, total, rank() over (order by total desc) from (select name, sum(cents) total from customer c left join sale s on s.customer = c.id group by c.id) limit 5;
begin; delete from customer where id <= 100; select count(*) from sale; savepoint s; update sale set cents = cents + 1; rollback to s; rollback;
select count(*) from sale; create trigger t after insert on sale begin update customer set name = name || '!' where id = new.customer; end;
insert into sale(customer, cents, day) values (7, 5, '2001-01-01'); select name from customer where id = 7;
insert into sale(customer, cents) values (7, -5);
insert into sale(customer, cents) values (999, 5);
create view monthly as select substr(day, 1, 7) month, sum(cents) cents from sale group by 1; select * from monthly order by month limit 3;
select json_group_array(name) from (select name from customer order by id limit 3); select hex(zeroblob(4)), quote('it''s'), printf('%.3f', 2.0 / 3);
explain query plan select * from sale where customer = 3; vacuum; pragma integrity_check; pragma page_count;
`;

const json = JSON.stringify({
  rows: Array.from({ length: 40 }, (_, n) => ({ n, name: `row ${n}`, tags: ['a', n % 3] })),
});

const editing = String.raw`
cp fruit a; sed -e 's/apple/cherry/' -e '/fig/d' -e '$a plum 1' a >b; diff -u --label a --label b a b >patch1; cat patch1; patch -s a patch1; cmp a b; echo $?
diff -y -W 40 fruit b; diff3 a fruit b; sdiff -s fruit b; cmp -l fruit b | head -n 3; patch -R -s a patch1; cmp a fruit; echo $?
printf '%s\n' ',s/apple/kiwi/' '1a' 'inserted' . '/fig/m0' w q | ed -s a; cat a
sed -n '2{h;d};3{G;p}' fruit; sed '/pear/,/fig/{s/^/> /;y/abc/ABC/}' fruit; sed -E ':a;s/^([0-9]+)([0-9]{3})/\1,\2/;ta' <<<1234567; sed -s -n '$=' fruit text
printf '%s\n' 'define(twice, $1$1)twice(ab) eval(2**10 % 7)' 'ifelse(a, a, yes, no)' 'forloop' 'substr(abcdef, 2, 3) len(hello)' | m4
grep -c . fruit; grep -oE '[0-9]+' fruit; grep -nvw fig fruit; grep -P '(?<=pe)ar' fruit; grep -rl lime .; echo $?
find . -type f -size -2 -name '[a-b]' -exec wc -c {} + | sort; find . -newer missing; echo $?; find . -maxdepth 1 -name 'fr*' -printf '%f %s %m\n'
seq 100 | xargs -P4 -n10 sh -c 'echo $(($1 + $2))' x | sort -n | paste -sd' '; printf 'a b\0c' | xargs -0 -I{} echo '<{}>'
dc -e '16 o 255 p 2 100 ^ p 10 k 2 v p [la 1 + sa la 5 >b] sb 0 sa lbx la p'; expr 5 \* 3
`;

const tools: readonly Tool[] = [
  { name: 'sqlite3', program: 'usr/bin/sqlite3', words: ['file.db'], input: sqlite, makes: ['file.db'], code: 1 },
  commands('diff, patch, ed, sed, m4, grep, find and xargs', editing, { cores: 4 }),
  { name: 'ripgrep', program: 'usr/bin/rg', words: ['--sort=path', '-c', '[a-c]{3}', '.'], files, cores: 4 },
  {
    name: 'ripgrep with four threads',
    program: 'usr/bin/rg',
    words: ['-j4', '-n', 'apple', '.'],
    files: { fruit },
    cores: 4,
  },
  {
    name: 'fd',
    program: 'usr/bin/fdfind',
    words: ['-j4', '-x', 'echo', '{/}', ';', 'fruit'],
    files,
    cores: 4,
    startsOthers: true,
  },
  { name: 'gron, of Go,', program: 'usr/bin/gron', words: ['rows.json'], files: { 'rows.json': json }, cores: 4 },
  {
    name: 'gron backwards',
    program: 'usr/bin/gron',
    words: ['-u'],
    input: 'json.a = 1;\njson.b[0] = "x";\n',
    cores: 2,
  },
  {
    name: 'jq',
    program: 'usr/bin/jq',
    words: [
      '-c',
      '.rows | map(select(.n % 7 == 0) | {(.name): (.tags[1] / 3)}) | add, (to_entries | length)',
      'rows.json',
    ],
    files: { 'rows.json': json },
  },
];

describe('a tool', () => {
  for (const { name, code, ...comparison } of tools)
    it(`does as under qemu-aarch64: ${name} on ${comparison.cores ?? 1} cores`, { timeout: comparisonMs }, () => {
      expectTheSame(comparison, code);
    });
});
