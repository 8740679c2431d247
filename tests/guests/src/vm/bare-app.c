/* A bare-metal application: one core, no interrupts, no device tree needed. It computes, and leaves everything that touches a
 * file to Rhyper's management VM by the file calls of fid 0x12; what it prints goes to file 1 when it has no console. Without
 * Rhyper it says so and only computes.
 *
 * Options, if there is a device tree: limit=N (primes below it, 50000), file=NAME (result.txt), rounds=N.
 */
#include "kernel.h"
#include "rhyper.h"

enum { most = 200000, open_create = 0x42, open_read = 0, seek_set = 0, seek_end = 2, standard_output = 1 };

bool takes_end_of_memory = true;
static u8 composite[most];

static void write_output(const char *text, u32 length) {
    rhyper(fid_unilib, unilib_write, standard_output, (u64)text, length);
}

/* The number of primes below `limit`, and their sum. */
static u32 sieve(u32 limit, u64 *sum) {
    u32 count = 0;
    *sum = 0;
    memset(composite, 0, limit);
    for (u32 i = 2; i < limit; i++) {
        if (!composite[i]) {
            count++;
            *sum += i;
            for (u32 k = i * 2; k < limit; k += i) {
                composite[k] = 1;
            }
        }
    }
    return count;
}

/* Writes the line to a file, asks how long the file is, reads it back. */
static void keep(const char *name, const char *line, u32 length) {
    char back[128] = {0};
    u64 fd = rhyper(fid_unilib, unilib_open, (u64)name, text_length(name), open_create);
    u64 written = rhyper(fid_unilib, unilib_write, fd, (u64)line, length);
    u64 end = rhyper(fid_unilib, unilib_lseek, fd, 0, seek_end);
    u64 start = rhyper(fid_unilib, unilib_lseek, fd, 0, seek_set);
    u64 read = rhyper(fid_unilib, unilib_read, fd, (u64)back, sizeof back - 1);
    u64 closed = rhyper(fid_unilib, unilib_close, fd);
    u64 again = rhyper(fid_unilib, unilib_read, fd, (u64)back + 64, 1);
    bool same = read == length && memcmp(back, line, length) == 0;
    print("bare-app: file %s: opened %s, %ld written, ends at %ld, back at %ld, %ld read %s, closed %ld, then %ld\n", name,
          (long)fd >= 0 ? "yes" : "no", written, end, start, read, same ? "the same" : "DIFFERENT", closed, again);
    fd = rhyper(fid_unilib, unilib_open, (u64) "missing.txt", 11, open_read);
    print("bare-app: a missing file %s\n", (long)fd < 0 ? "is an error" : "OPENS");
}

int guest(void) {
    u64 id = 0;
    bool hosted = rhyper_present(&id);
    bool has_files = hosted && rhyper(fid_unilib, unilib_init) != RHYPER_ERROR;
    if (has_files) {
        console_other = write_output;
    }
    if (hosted) {
        print("bare-app: VM %lu, %s, console %s\n", id, has_files ? "file calls" : "no file calls", console_name());
    } else {
        print("bare-app: runs bare, there is nobody to do its file calls\n");
    }
    u32 limit = (u32)option_number("limit", 50000), count = 0;
    u64 sum = 0, rounds = option_number("rounds", 1);
    limit = limit < most ? limit : most;
    for (u64 round = 0; round < rounds; round++) {
        count = sieve(limit, &sum);
    }
    char line[96];
    u32 length = format(line, sizeof line, "%u primes below %u, sum %lu\n", count, limit, sum);
    print("bare-app: %s", line);
    if (has_files) {
        char name[32];
        text_copy(name, option_text("file", "result.txt"), sizeof name);
        keep(name, line, length);
        rhyper(fid_unilib, unilib_finished);
    }
    print("bare-app: done\n");
    return 0;
}
