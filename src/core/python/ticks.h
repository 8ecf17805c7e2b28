/* Time stamps for the statistics: each step of Python takes two, so they have to be cheap.
 *
 * A tick is one of the processor's counter (counter.h) where that is steady, else a nanosecond of CLOCK_MONOTONIC. What it
 * is worth is found when somebody reads, from the whole time since the start. Whoever reads also looks whether the counter
 * has kept its rate since the last time. If it has not (a virtual machine that moved to another processor), ticks come
 * from the clock from then on, as many in a second as before: what was counted stays what it was. */
#ifndef GLUPY_TICKS_H
#define GLUPY_TICKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "python/counter.h"

/* Set by glupy_ticks_start(), cleared when the counter has been found out. */
extern atomic_bool glupy_ticks_counted;

/* Not by the counter. */
uint64_t glupy_ticks_of_clock(void);

static inline uint64_t
glupy_ticks(void)
{
    return atomic_load_explicit(&glupy_ticks_counted, memory_order_acquire) ? GLUPY_COUNTER() : glupy_ticks_of_clock();
}

/* From one stamp to a later one. Zero where a counter went backwards all the same. */
static inline uint64_t
glupy_ticks_between(uint64_t from, uint64_t to)
{
    return to > from ? to - from : 0;
}

/* Before the first stamp of the process is taken; later calls do nothing. */
void glupy_ticks_start(void);

/* Nanoseconds that a tick has taken so far. Any thread. */
double glupy_ticks_nanoseconds(void);

#endif
