// Without locks: a queue (Michael and Scott), a stack, a ring of one producer and one consumer, a sequence lock, a ticket lock, Peterson's
// algorithm, publication by release and acquire, and read-modify-writes of every size.
#include "pthreads.h"

enum { workers = 4, rounds = 40, nodes = workers * rounds + 1, spins = 64 };

/** Waits like hardware would, and like a thread that shares its core where it takes long. */
static void relax(int *count) {
  if (++*count % spins == 0) sched_yield();
}

// Indices of nodes in the low half, a count of changes in the high half: a pointer that comes back is not taken for the old one.
typedef _Atomic uint64_t Link;
static uint64_t link_to(uint64_t old, uint32_t node) { return ((old >> 32) + 1) << 32 | node; }
static struct {
  Link next;
  long value;
} node[nodes + 1];
static Link head, tail, top;
static _Atomic uint32_t used;
static _Atomic long in, out, wrong;

static void enqueue(long value) {
  const uint32_t fresh = ++used;
  node[fresh].value = value;
  atomic_store(&node[fresh].next, link_to(atomic_load(&node[fresh].next), 0));
  for (;;) {
    uint64_t last = atomic_load(&tail), next = atomic_load(&node[(uint32_t)last].next);
    if (last != atomic_load(&tail)) continue;
    if ((uint32_t)next != 0) {
      atomic_compare_exchange_strong(&tail, &last, link_to(last, (uint32_t)next));
    } else if (atomic_compare_exchange_strong(&node[(uint32_t)last].next, &next, link_to(next, fresh))) {
      atomic_compare_exchange_strong(&tail, &last, link_to(last, fresh));
      return;
    }
  }
}
static int dequeue(long *value) {
  for (;;) {
    uint64_t first = atomic_load(&head), last = atomic_load(&tail), next = atomic_load(&node[(uint32_t)first].next);
    if (first != atomic_load(&head)) continue;
    if ((uint32_t)first == (uint32_t)last) {
      if ((uint32_t)next == 0) return 0;
      atomic_compare_exchange_strong(&tail, &last, link_to(last, (uint32_t)next));
    } else {
      *value = node[(uint32_t)next].value;
      if (atomic_compare_exchange_strong(&head, &first, link_to(first, (uint32_t)next))) return 1;
    }
  }
}
static void *use_queue(void *argument) {
  long last_of[workers] = {0};
  const long self = (long)argument;
  for (long n = 1; n <= rounds; n++) {
    enqueue(self * 1000 + n);
    in += n;
    long value;
    if (!dequeue(&value)) continue;
    // What one has put in comes out in its order.
    wrong += value % 1000 <= last_of[value / 1000];
    last_of[value / 1000] = value % 1000;
    out += value % 1000;
  }
  return NULL;
}

static Link cells[nodes + 1];
static void *use_stack(void *argument) {
  const uint32_t from = 1 + (uint32_t)(long)argument * rounds;
  for (uint32_t n = from; n < from + rounds; n++) {
    uint64_t old = atomic_load(&top);
    do atomic_store(&cells[n], (uint32_t)old);
    while (!atomic_compare_exchange_weak(&top, &old, link_to(old, n)));
    if (n % 2 == 0) continue;
    old = atomic_load(&top);
    while (!atomic_compare_exchange_weak(&top, &old, link_to(old, (uint32_t)atomic_load(&cells[(uint32_t)old]))));
    out++;
  }
  return NULL;
}

static struct {
  _Atomic unsigned long written, read;
  long cell[8];
} ring;
static void *fill(void *argument) {
  int count = 0;
  for (unsigned long n = 0; n < 200; n++) {
    while (n - atomic_load_explicit(&ring.read, memory_order_acquire) == 8) relax(&count);
    ring.cell[n % 8] = (long)(n * n);
    atomic_store_explicit(&ring.written, n + 1, memory_order_release);
  }
  return argument;
}
static void *drain(void *argument) {
  (void)argument;
  long sum = 0;
  int count = 0;
  for (unsigned long n = 0; n < 200; n++) {
    while (atomic_load_explicit(&ring.written, memory_order_acquire) == n) relax(&count);
    sum += ring.cell[n % 8];
    atomic_store_explicit(&ring.read, n + 1, memory_order_release);
  }
  return (void *)sum;
}

static _Atomic unsigned sequence;
static _Atomic long halves[2];
static void *write_or_read(void *argument) {
  int count = 0;
  for (long n = 1; n <= rounds; n++) {
    if (argument == NULL) {
      atomic_fetch_add_explicit(&sequence, 1, memory_order_acq_rel);
      atomic_store_explicit(&halves[0], n, memory_order_relaxed);
      atomic_store_explicit(&halves[1], -n, memory_order_relaxed);
      atomic_fetch_add_explicit(&sequence, 1, memory_order_release);
      continue;
    }
    unsigned before;
    long a, b;
    do {
      while ((before = atomic_load_explicit(&sequence, memory_order_acquire)) % 2) relax(&count);
      a = atomic_load_explicit(&halves[0], memory_order_relaxed), b = atomic_load_explicit(&halves[1], memory_order_relaxed);
      atomic_thread_fence(memory_order_acquire);
    } while (atomic_load_explicit(&sequence, memory_order_relaxed) != before);
    wrong += a + b != 0;
  }
  return NULL;
}

static _Atomic unsigned next_ticket, now_serving;
static long served;
static void *take_ticket(void *argument) {
  int count = 0;
  for (int n = 0; n < rounds; n++) {
    const unsigned mine = atomic_fetch_add_explicit(&next_ticket, 1, memory_order_relaxed);
    while (atomic_load_explicit(&now_serving, memory_order_acquire) != mine) relax(&count);
    served++;
    atomic_store_explicit(&now_serving, mine + 1, memory_order_release);
  }
  return argument;
}

static _Atomic int wants[2], victim;
static long alone;
static void *be_polite(void *argument) {
  const int self = (int)(long)argument;
  int count = 0;
  for (int n = 0; n < rounds; n++) {
    wants[self] = 1;
    victim = self;
    while (wants[!self] && victim == self) relax(&count);
    alone++;
    wants[self] = 0;
  }
  return NULL;
}

static struct {
  long value[4];
} *_Atomic published;
static void *publish(void *argument) {
  static __typeof__(*published) page;
  int count = 0;
  if (argument == NULL) {
    for (int n = 0; n < 4; n++) page.value[n] = n + 1;
    atomic_store_explicit(&published, &page, memory_order_release);
    return NULL;
  }
  __typeof__(&page) found;
  while (!(found = atomic_load_explicit(&published, memory_order_consume))) relax(&count);
  return (void *)(found->value[0] + found->value[1] + found->value[2] + found->value[3]);
}

static _Atomic uint8_t bytes;
static _Atomic uint16_t shorts;
static _Atomic uint32_t words, bits, parity = 0x5a5a5a5a;
static _Atomic uint64_t longs, largest;
static _Atomic int32_t token = 1;
static _Atomic long taken;
static void *modify(void *argument) {
  const unsigned self = (unsigned)(long)argument;
  int count = 0;
  for (unsigned n = 0; n < rounds; n++) {
    bytes += 3;
    shorts += 1000;
    words -= 5;
    longs += 1ull << 32;
    bits |= 1u << (self * 8 + n % 8);
    parity ^= 1u << (n % 32);
    uint64_t old = largest;
    while (old < self * 100 + n && !atomic_compare_exchange_weak(&largest, &old, self * 100 + n)) relax(&count);
    // Who swaps the token out has it for itself.
    while (atomic_exchange(&token, 0) == 0) relax(&count);
    taken++;
    token = 1;
  }
  bits &= ~(1u << (self * 8 + 7));
  return NULL;
}

void lockless(void) {
  pthread_t ids[workers];
  head = tail = ++used;
  start_all(ids, workers, use_queue);
  join_all(ids, workers);
  long value;
  while (dequeue(&value)) out += value % 1000;
  printf("queue: in %ld, out %ld, out of order %ld\n", (long)in, (long)out, (long)wrong);
  out = 0;
  start_all(ids, workers, use_stack);
  join_all(ids, workers);
  int left = 0;
  for (uint32_t n = (uint32_t)top; n != 0; n = (uint32_t)cells[n]) left++;
  printf("stack: taken %ld, left %d\n", (long)out, left);
  start_all(&ids[0], 1, fill);
  start_all(&ids[1], 1, drain);
  printf("ring: %ld\n", join_all(ids, 2));
  start_all(ids, workers, write_or_read);
  join_all(ids, workers);
  printf("sequence lock: %u, torn %ld\n", (unsigned)sequence, (long)wrong);
  start_all(ids, workers, take_ticket);
  join_all(ids, workers);
  start_all(ids, 2, be_polite);
  join_all(ids, 2);
  printf("ticket lock: %ld, Peterson: %ld\n", served, alone);
  start_all(ids, workers, publish);
  printf("published: %ld\n", join_all(ids, workers));
  start_all(ids, workers, modify);
  join_all(ids, workers);
  printf("modified: %u %u %u %llx, bits %x, parity %x, largest %llu, taken %ld\n", (unsigned)bytes, (unsigned)shorts, (unsigned)words,
         (unsigned long long)longs, (unsigned)bits, (unsigned)parity, (unsigned long long)largest, (long)taken);
}
