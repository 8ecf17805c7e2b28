/* What a tick is. See ticks.h. */
#include "python/ticks.h"

#include <pthread.h>

#include "python/clock.h"

/* Counter and clock at one moment. */
struct moment {
    uint64_t ticks, nanoseconds;
};

atomic_bool glupy_ticks_counted;

/* Under the lock, but that `last` and `rate` do not change any more once nothing is counted. */
static struct {
    pthread_mutex_t lock;
    struct moment start, last; /* when it began; when somebody looked */
    double rate;               /* nanoseconds a tick; 0: not known yet, or there is no counter */
} counter = {.lock = PTHREAD_MUTEX_INITIALIZER};

#define LOOKS 8

/* A thread may lose its processor between reading the one and the other, for milliseconds: the closest look counts. */
static struct moment
look(void)
{
    uint64_t least = UINT64_MAX;
    struct moment closest = {0};

    for (unsigned i = 0; i < LOOKS; i++) {
        uint64_t before = glupy_now();
        uint64_t ticks = GLUPY_COUNTER();
        uint64_t taken = glupy_now() - before;

        if (taken < least) {
            least = taken;
            closest = (struct moment){.ticks = ticks, .nanoseconds = before + taken / 2};
        }
    }
    return closest;
}

static void
start(void)
{
    if (!glupy_counter_is_steady())
        return;
    counter.start = counter.last = look();
    atomic_store_explicit(&glupy_ticks_counted, true, memory_order_release);
}

void
glupy_ticks_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, start);
}

uint64_t
glupy_ticks_of_clock(void)
{
    uint64_t now = glupy_now();

    if (counter.rate == 0)
        return now;
    return counter.last.ticks + (uint64_t)((double)(now - counter.last.nanoseconds) / counter.rate);
}

/* Nanoseconds a tick from one moment to a later one; 0 where the counter stood still or went back. */
static double
rate_between(struct moment from, struct moment to)
{
    uint64_t ticks = glupy_ticks_between(from.ticks, to.ticks);

    return ticks ? (double)(to.nanoseconds - from.nanoseconds) / (double)ticks : 0;
}

#define LONG_ENOUGH 10000000u /* nanoseconds: what looks are wrong by does not count any more */
#define TOLERANCE 0.01        /* a clock that is being corrected differs by 0.0005 */

static bool
has_drifted(double rate)
{
    return counter.rate != 0 && (rate < counter.rate * (1 - TOLERANCE) || rate > counter.rate * (1 + TOLERANCE));
}

/* The rate as of now. */
static double
measure(void)
{
    struct moment now = look();
    double whole = rate_between(counter.start, now);

    if (now.nanoseconds - counter.last.nanoseconds < LONG_ENOUGH)
        return counter.rate != 0 ? counter.rate : whole;
    if (has_drifted(rate_between(counter.last, now)) || whole == 0) {
        if (counter.rate == 0)
            counter.rate = 1; /* it never ran */
        atomic_store_explicit(&glupy_ticks_counted, false, memory_order_release);
        return counter.rate;
    }
    counter.rate = whole;
    counter.last = now;
    return whole;
}

double
glupy_ticks_nanoseconds(void)
{
    double rate;

    pthread_mutex_lock(&counter.lock);
    rate = atomic_load_explicit(&glupy_ticks_counted, memory_order_relaxed) ? measure() : counter.rate;
    pthread_mutex_unlock(&counter.lock);
    return rate != 0 ? rate : 1.0;
}
