/* Timers of our own: one thread and a binary heap. GlusterFS's timer thread serves pings and reconnects of the whole
 * process and is left alone. See clock.h. */
#include "clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "own_thread.h"

struct alarm {
    uint64_t when;
    void (*fn)(void *);
    void *arg;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake; /* on CLOCK_MONOTONIC, see start() */
    struct alarm *heap;
    size_t count, room;
    bool running;
} ticker = {.lock = PTHREAD_MUTEX_INITIALIZER};

uint64_t
glupy_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void
sift_up(size_t at)
{
    struct alarm moving = ticker.heap[at];

    for (; at && ticker.heap[(at - 1) / 2].when > moving.when; at = (at - 1) / 2)
        ticker.heap[at] = ticker.heap[(at - 1) / 2];
    ticker.heap[at] = moving;
}

static void
sift_down(struct alarm moving)
{
    size_t at = 0, child;

    while ((child = 2 * at + 1) < ticker.count) {
        if (child + 1 < ticker.count && ticker.heap[child + 1].when < ticker.heap[child].when)
            child++;
        if (ticker.heap[child].when >= moving.when)
            break;
        ticker.heap[at] = ticker.heap[child];
        at = child;
    }
    ticker.heap[at] = moving;
}

static struct alarm
pop(void)
{
    struct alarm first = ticker.heap[0];

    ticker.count--;
    if (ticker.count)
        sift_down(ticker.heap[ticker.count]);
    return first;
}

static void *
tick(void *unused)
{
    pthread_mutex_lock(&ticker.lock);
    for (;;) {
        if (!ticker.count) {
            pthread_cond_wait(&ticker.wake, &ticker.lock);
        } else if (ticker.heap[0].when > glupy_now()) {
            struct timespec until = {.tv_sec = (time_t)(ticker.heap[0].when / 1000000000u),
                                     .tv_nsec = (long)(ticker.heap[0].when % 1000000000u)};
            pthread_cond_timedwait(&ticker.wake, &ticker.lock, &until);
        } else {
            struct alarm due = pop();

            pthread_mutex_unlock(&ticker.lock);
            due.fn(due.arg);
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

static bool
make_room(void)
{
    size_t more = ticker.room ? 2 * ticker.room : 64;
    struct alarm *grown;

    if (ticker.count < ticker.room)
        return true;
    grown = realloc(ticker.heap, more * sizeof(*grown));
    if (!grown)
        return false;
    ticker.heap = grown;
    ticker.room = more;
    return true;
}

bool
glupy_clock_call_at(uint64_t when, void (*fn)(void *), void *arg)
{
    bool added = false;

    pthread_mutex_lock(&ticker.lock);
    if ((ticker.running = ticker.running || start()) && make_room()) {
        ticker.heap[ticker.count] = (struct alarm){when, fn, arg};
        sift_up(ticker.count++);
        pthread_cond_signal(&ticker.wake);
        added = true;
    }
    pthread_mutex_unlock(&ticker.lock);
    return added;
}
