/* The ring without its barriers: wrong under the Armv8 memory model, and right under Sequential Consistency. Whether it
 * fails depends on what the machine makes of it. The exit code is 1 when an item was lost or torn. */
#define RACY
#include "ring.c"
