// Tools that are greater than one command: a version control system, a database, searches in Rust with a thread for each core, a program in Go,
// archives, editors.

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

const git = String.raw`
set -e
git init -q -b main repository; cd repository; git config user.name name; git config user.email mail; git config gc.auto 0
cp ../fruit ../text .; git add .; git commit -qm first; git rev-parse HEAD
sed -i s/fig/lime/ fruit; git diff; git commit -qam second; git checkout -q -b other HEAD~1; echo more >>text; mkdir d; echo x >d/y; git add .
git commit -qm third; git merge -q -m merged main; git log --graph --format='%h %s %an' --stat; git show --stat HEAD~1 | tail -n 4; git blame fruit | cut -c1-8,40-
git tag -a v1 -m tag; git describe; git status --short; git ls-tree -r HEAD; git cat-file -p HEAD; git grep -n lime; git stash list; git branch
git repack -adq --threads=2; git count-objects -v | grep packs; git fsck --no-progress; git archive HEAD | tar tf -; git rev-list --count --all
`;

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

const archives = String.raw`
set -e
mkdir -p tree/deep; cp fruit tree; cp text tree/deep; ln -s fruit tree/link; touch -d @0 tree/* tree/deep/* tree/deep tree
stamp='--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner'
tar $stamp -cf - tree | sha256sum; tar $stamp -czf a.tgz tree; tar tzf a.tgz; tar $stamp -cJf a.txz tree; tar $stamp --zstd -cf a.tzst tree
mkdir out; tar xf a.txz -C out; diff -r tree out/tree; rm -r out; mkdir out; tar xf a.tzst -C out; cmp text out/tree/deep/text
find tree -print0 | sort -z | cpio -0 -o -H newc --quiet --reproducible --owner=0:0 >a.cpio; cpio -t --quiet <a.cpio
zip -qr a.zip tree; unzip -l a.zip | tail -n 1; unzip -p a.zip tree/fruit; mkdir unzipped; unzip -q a.zip -d unzipped; cmp text unzipped/tree/deep/text
bzip2 -k text; bzip2 -t text.bz2; lbzip2 -n3 -dc text.bz2 | cmp - text; lbzip2 -n3 -c text | sha256sum; md5sum text.bz2
file fruit a.tgz a.txz a.zip text.bz2 /bin/bash | cut -c1-40
`;

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

const openssl = String.raw`
set -e
for d in md5 sha1 sha224 sha384 sha512-256 sha3-512 shake128 blake2s256 sm3 ripemd160; do openssl dgst -$d text 2>&1 | head -n 1; done
for c in aes-128-cbc aes-256-ctr aes-192-ofb chacha20 camellia-128-cbc aria-128-cbc; do
  openssl enc -$c -K 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff -iv 0102030405060708090a0b0c0d0e0f10 -in text -out x 2>/dev/null; md5sum x
  openssl enc -d -$c -K 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff -iv 0102030405060708090a0b0c0d0e0f10 -in x 2>/dev/null | cmp - text
done
openssl prime 1000000007; openssl prime -hex 7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF; openssl base64 -in fruit; openssl passwd -6 -salt salt word; openssl kdf -keylen 16 -kdfopt digest:SHA256 -kdfopt pass:p -kdfopt salt:12345678 -kdfopt iter:1000 PBKDF2
openssl genpkey -algorithm ed25519 -out key; openssl pkeyutl -sign -inkey key -rawin -in fruit -out signature; openssl pkey -in key -pubout -out public; openssl pkeyutl -verify -pubin -inkey public -rawin -in fruit -sigfile signature
openssl ecparam -name prime256v1 -genkey -noout -out ec; openssl dgst -sha256 -sign ec -out s fruit; openssl dgst -sha256 -prverify ec -signature s fruit
openssl genrsa -out rsa 1024 2>/dev/null; openssl dgst -sha256 -sign rsa -out s fruit; openssl dgst -sha256 -prverify rsa -signature s fruit
`;

const tools: readonly Tool[] = [
  commands('git', git, {
    cores: 2,
    environment: { GIT_AUTHOR_DATE: '@1000000000 +0000', GIT_COMMITTER_DATE: '@1000000000 +0000' },
  }),
  { name: 'sqlite3', program: 'usr/bin/sqlite3', words: ['file.db'], input: sqlite, makes: ['file.db'], code: 1 },
  commands('tar, cpio, zip and what compresses them', archives, { cores: 4 }),
  commands('diff, patch, ed, sed, m4, grep, find and xargs', editing, { cores: 4 }),
  commands('openssl', openssl),
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
