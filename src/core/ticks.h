/* Time stamps for the statistics: each step of Python takes two, so they have to be cheap.
 *
 * clock_gettime() is 30 ns where the processor's own counter is 12 (EPYC, KVM). The counter is used where the kernel
 * itself keeps time by it: then it runs at one rate, on all processors alike. Elsewhere a tick is a nanosecond of
 * CLOCK_MONOTONIC. What a tick is worth is found when somebody reads, from the whole time since the start. */
#ifndef GLUPY_TICKS_H
#define GLUPY_TICKS_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"

#if defined(__x86_64__)
#include <x86intrin.h>
#define GLUPY_CLOCKSOURCE "tsc"
#define GLUPY_COUNTER() __rdtsc()
#elif defined(__aarch64__)
#define GLUPY_CLOCKSOURCE "arch_sys_counter"
#define GLUPY_COUNTER()                                                                                                \
    ({                                                                                                                 \
        uint64_t counter_;                                                                                             \
        __asm__ volatile("mrs %0, cntvct_el0" : "=r"(counter_));                                                       \
        counter_;                                                                                                      \
    })
#else
#define GLUPY_CLOCKSOURCE ""
#define GLUPY_COUNTER() glupy_now()
#endif

/* Set by glupy_ticks_start(). */
extern bool glupy_ticks_counted;

static inline uint64_t
glupy_ticks(void)
{
    return glupy_ticks_counted ? GLUPY_COUNTER() : glupy_now();
}

/* From one stamp to a later one. Zero where a counter went backwards all the same (a virtual machine that moved). */
static inline uint64_t
glupy_ticks_between(uint64_t from, uint64_t to)
{
    return to > from ? to - from : 0;
}

/* Before the first stamp of the process is taken; later calls do nothing. */
void glupy_ticks_start(void);

/* Nanoseconds that a tick has taken so far. */
double glupy_ticks_nanoseconds(void);

#endif
