/* The parts of the management VM's program. */
#pragma once
#include "kernel.h"
#include "rhyper.h"

/* --- archive.c: the initial RAM disk, a cpio archive (newc), which holds the images of the other VMs --- */

/* The file's bytes, or 0. */
const u8 *archive_file(const char *name, u64 *bytes);
/* Calls `visit` for every file. */
void archive_walk(void (*visit)(const char *name, const u8 *data, u64 bytes));

/* --- commands.c: the shell --- */

/* Carries out one line. */
void command(char *line);

/* --- configurations.c: sample configurations --- */

/* Makes a VM of this name by the CONFIG calls and loads its kernel; prints the steps that fail. */
void configuration_build(const char *name);
void configuration_list(void);
/* Loads the kernel of a VM again, after its memory was cleared by a forced reboot, and boots it. */
void configuration_reload(u64 id);
/* Which configuration a VM was made from. */
void configuration_forget(u64 id);
/* UPLOAD_KERNEL_IMAGE of a file of the archive, by pieces. */
bool upload(u64 id, const char *file);

/* --- store.c: VMs that the host has described (store.h) --- */

/* Makes the VM of this name; false if the store has none. */
bool store_build(const char *name);
void store_list(void);
/* As configuration_reload; false if the VM is none of the store. */
bool store_reload(u64 id);
void store_forget(u64 id);
/* Commands, one in a line. */
const char *store_script(u64 *bytes);

/* --- mediated.c: the daemon for block requests of other VMs --- */

/* Registers the backing disks. */
void mediated_start(void);
/* Serves what Rhyper has put into the pages of the disks. */
void mediated_serve(void);
void mediated_report(void);

/* --- files.c: the file service for bare-metal applications --- */

void files_serve(const struct message *message);
void files_report(void);

/* --- consoles.c: virtio consoles that lead to other VMs --- */

/* Opens those that are there; our own console, if it is one of them, is not. */
void consoles_start(void);
/* Prints the lines that have arrived: "hvcN| TEXT". */
void consoles_serve(void);
/* Sends a line to the console N; false if there is none. */
bool consoles_type(u32 n, const char *text);
