/* Not a translator: the core's ticks.c with a clock and a counter that a test moves by hand, through ctypes. */
#define GLUPY_COUNTER_H /* in the place of counter.h */

#include <stdbool.h>
#include <stdint.h>

static uint64_t probe_counter(void);
static bool
glupy_counter_is_steady(void)
{
    return true;
}

#define GLUPY_COUNTER() probe_counter()

#include "../../src/core/python/ticks.c"

#define EXPORT __attribute__((visibility("default")))

static uint64_t clock_now, counter_now;
static double counter_rate = 1; /* nanoseconds a tick */
static unsigned reads, preempted_at;
static uint64_t preempted_for;

EXPORT void
probe_pass(uint64_t nanoseconds)
{
    clock_now += nanoseconds;
    counter_now += (uint64_t)((double)nanoseconds / counter_rate);
}

EXPORT void
probe_set_rate(double nanoseconds)
{
    counter_rate = nanoseconds;
}

/* The n-th reading of the counter from now on is followed by a pause of its thread. */
EXPORT void
probe_preempt(unsigned n, uint64_t nanoseconds)
{
    reads = 0;
    preempted_at = n;
    preempted_for = nanoseconds;
}

EXPORT void
probe_step_back(uint64_t ticks)
{
    counter_now -= ticks;
}

uint64_t
glupy_now(void)
{
    probe_pass(30);
    return clock_now;
}

static uint64_t
probe_counter(void)
{
    uint64_t ticks = counter_now;

    probe_pass(++reads == preempted_at ? preempted_for : 12);
    return ticks;
}

EXPORT void
probe_start(void)
{
    clock_now = counter_now = UINT64_C(1000000000);
    glupy_ticks_start();
}

EXPORT double
probe_nanoseconds(void)
{
    return glupy_ticks_nanoseconds();
}

EXPORT uint64_t
probe_ticks(void)
{
    return glupy_ticks();
}

EXPORT int
probe_counted(void)
{
    return atomic_load(&glupy_ticks_counted);
}
