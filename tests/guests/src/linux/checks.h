// What every program for Linux is made with: checks that end it, and threads that all do the same.
#pragma once
#include <pthread.h>

#define CHECK(condition) check(condition, #condition, __FILE__, __LINE__)
void check(int holds, const char *what, const char *file, int line);

/** Each is given its number. */
void start_all(pthread_t *ids, int count, void *(*run)(void *));
/** Joins them; the sum of their results. */
long join_all(const pthread_t *ids, int count);
