/* Timers: at a given time, complete what a coroutine waits for. */
#ifndef GLUPY_CLOCK_H
#define GLUPY_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t glupy_now(void);

/* Call fn(arg) on the clock's thread at `when`; fn must be short and must not wait. False without memory or thread. */
bool glupy_clock_call_at(uint64_t when, void (*fn)(void *), void *arg);

#endif
