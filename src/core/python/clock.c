/* Timers of our own: one thread and a heap of alarms. GlusterFS's timer thread serves pings and reconnects of the whole
 * process and is left alone. See clock.h. */
#include "python/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "python/own_thread.h"

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake; /* on CLOCK_MONOTONIC, see start() */
    struct glupy_alarms alarms;
    bool running;
} ticker = {.lock = PTHREAD_MUTEX_INITIALIZER};

uint64_t
glupy_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void *
tick(void *unused)
{
    pthread_mutex_lock(&ticker.lock);
    for (;;) {
        if (!ticker.alarms.count) {
            pthread_cond_wait(&ticker.wake, &ticker.lock);
        } else if (ticker.alarms.heap[0]->when > glupy_now()) {
            struct timespec until = {.tv_sec = (time_t)(ticker.alarms.heap[0]->when / 1000000000u),
                                     .tv_nsec = (long)(ticker.alarms.heap[0]->when % 1000000000u)};
            pthread_cond_timedwait(&ticker.wake, &ticker.lock, &until);
        } else {
            struct glupy_alarm *due = ticker.alarms.heap[0];

            glupy_alarms_take(&ticker.alarms, due);
            pthread_mutex_unlock(&ticker.lock);
            due->ring(due);
            pthread_mutex_lock(&ticker.lock);
        }
    }
    return unused;
}

static bool
start(void)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&ticker.wake, &attr);
    pthread_condattr_destroy(&attr);
    return glupy_start_thread(tick, NULL, "glupyclk") == 0;
}

bool
glupy_clock_set(struct glupy_alarm *alarm, uint64_t when)
{
    bool set = false;

    pthread_mutex_lock(&ticker.lock);
    if ((ticker.running = ticker.running || start()) && glupy_alarms_put(&ticker.alarms, alarm, when)) {
        if (alarm->place == 1)
            pthread_cond_signal(&ticker.wake); /* it has waited for a later one */
        set = true;
    }
    pthread_mutex_unlock(&ticker.lock);
    return set;
}

bool
glupy_clock_unset(struct glupy_alarm *alarm)
{
    bool set;

    pthread_mutex_lock(&ticker.lock);
    set = alarm->place != 0;
    if (set)
        glupy_alarms_take(&ticker.alarms, alarm);
    pthread_mutex_unlock(&ticker.lock);
    return set;
}

static const struct glupy_timers real = {.now = glupy_now, .set = glupy_clock_set, .unset = glupy_clock_unset};
static const struct glupy_timers *_Atomic in_force = &real;

const struct glupy_timers *
glupy_timers(void)
{
    return atomic_load_explicit(&in_force, memory_order_acquire);
}

const struct glupy_timers *
glupy_timers_real(void)
{
    return &real;
}

void
glupy_timers_replace(const struct glupy_timers *timers)
{
    atomic_store_explicit(&in_force, timers, memory_order_release);
}
