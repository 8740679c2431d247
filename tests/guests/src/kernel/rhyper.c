/* The message page: eight slots of 512 bytes, which Rhyper fills in turn before it raises the interrupt. A slot that was
 * read is marked by a fid that does not exist, so that several messages behind one interrupt are all found. */
#include "rhyper.h"
#include "core.h"
#include "exception.h"
#include "intc.h"
#include "machine.h"

enum { slots = 8, slot_words = 64 };

static volatile u64 page[slots][slot_words] __attribute__((aligned(4096)));
static u32 next;
static bool obeys, absent, listening;

u64 rhyper_call(u32 fid, u32 event, const u64 arguments[7]) {
    if (absent) {
        return RHYPER_ERROR;
    }
    register u64 x0 asm("x0") = arguments[0];
    register u64 x1 asm("x1") = arguments[1];
    register u64 x2 asm("x2") = arguments[2];
    register u64 x3 asm("x3") = arguments[3];
    register u64 x4 asm("x4") = arguments[4];
    register u64 x5 asm("x5") = arguments[5];
    register u64 x6 asm("x6") = arguments[6];
    register u64 x7 asm("x7") = (u64)fid << 8 | event;
    asm volatile("hvc #0"
                 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6), "+r"(x7)
                 :
                 : "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "memory");
    return x0;
}

/* An HVC that nobody takes is UNDEFINED: it is answered here as Rhyper answers an unknown one. */
static void answer_undefined(struct frame *frame, unsigned vector) {
    (void)vector;
    frame->x[0] = RHYPER_ERROR;
    frame->elr += 4;
}

/* GET_VM_ID writes eight bytes; whatever else answers an HVC leaves them alone. */
bool rhyper_present(u64 *id) {
    static volatile u64 answer;
    void (*before)(struct frame *, unsigned) = on_sync;
    answer = RHYPER_ERROR;
    on_sync = answer_undefined;
    u64 result = rhyper(fid_vmm, vmm_get_vm_id, (u64)&answer);
    on_sync = before;
    *id = answer;
    absent = result != 0 || answer == RHYPER_ERROR;
    return !absent;
}

static void notified(u32 intid) {
    (void)intid; /* an edge: nothing to silence, whoever slept looks at the page */
    struct message message;
    while (obeys && rhyper_take_message(&message)) {
        if (message.fid == fid_vmm && message.event == vmm_reboot_vm) {
            psci(PSCI_SYSTEM_RESET, 0, 0, 0);
        }
    }
}

bool rhyper_listen(void) {
    if (!machine.under_rhyper || !machine.notification) {
        return false;
    }
    for (u32 i = 0; i < slots; i++) {
        page[i][0] = RHYPER_ERROR;
    }
    next = 0;
    intc_take(machine.notification, true, notified);
    listening = rhyper(fid_ivc, ivc_update_mq, (u64)page, (u64)page) != RHYPER_ERROR;
    return listening;
}

bool rhyper_take_message(struct message *message) {
    volatile u64 *slot = page[next];
    if (!listening || slot[0] == RHYPER_ERROR) {
        return false;
    }
    dmb(sy); /* the rest is read after the word that shows it */
    *message = (struct message){slot[0], slot[1], slot[2], {slot[3], slot[4], slot[5]}};
    slot[0] = RHYPER_ERROR;
    next = (next + 1) % slots;
    return true;
}

void rhyper_obey_reboot(void) {
    obeys = true;
    rhyper_listen();
}
