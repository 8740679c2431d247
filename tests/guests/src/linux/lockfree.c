// A stack (Treiber) with counted pointers, a queue of many producers and consumers (Vyukov), and a spinlock that does not yield.
#include "suite.h"
#include <sched.h>
#include <stdatomic.h>

enum { nodes = 64, workers = 4, rounds = 400, cells = 64 };
static struct {
  uint32_t next;
  uint32_t value;
} pool[nodes + 1];
static _Atomic uint64_t top, spare;

static void push(_Atomic uint64_t *stack, uint32_t node) {
  uint64_t old = atomic_load(stack);
  do pool[node].next = (uint32_t)old;
  while (!atomic_compare_exchange_weak(stack, &old, ((old >> 32) + 1) << 32 | node));
}
static uint32_t pop(_Atomic uint64_t *stack) {
  uint64_t old = atomic_load(stack);
  do
    if ((uint32_t)old == 0) return 0;
  while (!atomic_compare_exchange_weak(stack, &old, ((old >> 32) + 1) << 32 | pool[(uint32_t)old].next));
  return (uint32_t)old;
}

static _Atomic long pushed, popped;
static void *use_stack(void *argument) {
  for (int n = 0; n < rounds; n++) {
    uint32_t node = pop(&spare);
    if (node) {
      pool[node].value = (uint32_t)((long)argument * rounds + n);
      pushed += pool[node].value;
      push(&top, node);
    }
    node = pop(&top);
    if (node) {
      popped += pool[node].value;
      push(&spare, node);
    }
  }
  return NULL;
}

static struct {
  _Atomic unsigned long sequence;
  long value;
} ring[cells];
static _Atomic unsigned long in, out;
static _Atomic long received;
static void *send(void *argument) {
  for (long n = 1; n <= rounds; n++) {
    const unsigned long at = atomic_fetch_add(&in, 1);
    while (atomic_load_explicit(&ring[at % cells].sequence, memory_order_acquire) != at) sched_yield();
    ring[at % cells].value = (long)argument + n;
    atomic_store_explicit(&ring[at % cells].sequence, at + 1, memory_order_release);
  }
  return NULL;
}
static void *receive(void *argument) {
  (void)argument;
  for (long n = 0; n < rounds; n++) {
    const unsigned long at = atomic_fetch_add(&out, 1);
    while (atomic_load_explicit(&ring[at % cells].sequence, memory_order_acquire) != at + 1) sched_yield();
    received += ring[at % cells].value;
    atomic_store_explicit(&ring[at % cells].sequence, at + cells, memory_order_release);
  }
  return NULL;
}

static atomic_flag spinning = ATOMIC_FLAG_INIT;
static long under_lock;
static void *spin(void *argument) {
  (void)argument;
  for (int n = 0; n < rounds; n++) {
    while (atomic_flag_test_and_set_explicit(&spinning, memory_order_acquire)) asm volatile("yield");
    under_lock++;
    atomic_flag_clear_explicit(&spinning, memory_order_release);
  }
  return NULL;
}

static void run(void *(*first)(void *), void *(*second)(void *)) {
  pthread_t ids[workers];
  for (long n = 0; n < workers; n++) CHECK(pthread_create(&ids[n], NULL, n % 2 ? second : first, (void *)n) == 0);
  for (int n = 0; n < workers; n++) CHECK(pthread_join(ids[n], NULL) == 0);
}

int lockfree(int argc, char **argv) {
  (void)argc, (void)argv;
  for (uint32_t n = 1; n <= nodes; n++) push(&spare, n);
  run(use_stack, use_stack);
  for (uint32_t node; (node = pop(&top));) {
    popped += pool[node].value;
    push(&spare, node);
  }
  int left = 0;
  while (pop(&spare)) left++;
  printf("stack %s, %d nodes\n", pushed == popped ? "whole" : "broken", left);
  for (unsigned n = 0; n < cells; n++) ring[n].sequence = n;
  run(send, receive);
  printf("queue %ld\n", (long)received);
  run(spin, spin);
  printf("spinlock %ld\n", under_lock);
  return 0;
}
