/* Work that takes a while and needs nothing. See computing.h. */
#include "computing.h"

#include <stdint.h>
#include <time.h>

#define NANOSECONDS 570
#define TRIES 20
#define TRIED 10000u /* steps */

static unsigned steps;

static void
step(unsigned count)
{
    volatile uint64_t value = count;

    while (count--)
        value = value * UINT64_C(6364136223846793005) + 1;
}

static uint64_t
now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* By a number of steps rather than the clock: looking at that takes a tenth of the time. The machine may be busy with something
 * else now and then, so the shortest of some tries counts. */
__attribute__((constructor)) static void
calibrate(void)
{
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < TRIES; i++) {
        uint64_t before = now(), taken;

        step(TRIED);
        taken = now() - before;
        least = taken < least ? taken : least;
    }
    steps = (unsigned)(NANOSECONDS * (uint64_t)TRIED / (least ? least : 1));
}

void
bench_compute(void)
{
    step(steps);
}
