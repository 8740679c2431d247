/* A guest that loses its way: VBAR_EL1 points nowhere, then a branch to an unmapped address. Every exception causes the
 * next, for ever. Not for QEMU, where it never ends; a simulator should say what happened and stop. */
#include "guest.h"

int guest(void) {
    print("no-vectors: on the way to 0x180000000\n");
    WRITE(vbar_el1, 0x1c0000000);
    isb();
    ((void (*)(void))0x180000000)();
    return 0;
}
