/* A mutex that may be passed by, on a futex. See gate.h. */
#include "python/gate.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "python/interpreter.h"

/* The futex's word. AWAITED: somebody sleeps, or is on the way from or to it. */
enum { OPEN, TAKEN, AWAITED };

#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ volatile("yield")
#else
#define PAUSE() ((void)0)
#endif

#define SPINS 200
#define STUCK_AFTER 1000000 /* nanoseconds */

struct gate {
    _Alignas(64) _Atomic uint32_t word;
    atomic_uint turns;    /* how often it was taken: tells one long stay from many short ones */
    atomic_uint spinning; /* threads */
    atomic_bool stuck;    /* the holder has been in for long: go round */
};

static struct gate gates[GLUPY_MAX_INTERPRETERS];
static atomic_uint spinners; /* how many may spin; 0: not looked up yet */

/* One processor is the holder's. Where there is no other, one thread spins all the same, for its holder may be asleep. */
static unsigned
most_spinners(void)
{
    unsigned most = atomic_load_explicit(&spinners, memory_order_relaxed);
    cpu_set_t set;

    if (most)
        return most;
    most = sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 2;
    most = most > 1 ? most - 1 : 1;
    atomic_store_explicit(&spinners, most, memory_order_relaxed);
    return most;
}

static bool
take(struct gate *gate, uint32_t as)
{
    uint32_t open = OPEN;

    return atomic_compare_exchange_strong_explicit(&gate->word, &open, as, memory_order_acquire,
                                                   memory_order_relaxed);
}

static bool
spin(struct gate *gate, uint32_t as)
{
    bool taken = false;

    if (atomic_fetch_add_explicit(&gate->spinning, 1, memory_order_relaxed) < most_spinners())
        for (unsigned i = 0; i < SPINS && !taken; i++) {
            taken = atomic_load_explicit(&gate->word, memory_order_relaxed) == OPEN && take(gate, as);
            PAUSE();
        }
    atomic_fetch_sub_explicit(&gate->spinning, 1, memory_order_relaxed);
    return taken;
}

/* False if it was not woken in time. */
static bool
sleep_at(struct gate *gate)
{
    struct timespec timeout = {.tv_nsec = STUCK_AFTER};

    return syscall(SYS_futex, &gate->word, FUTEX_WAIT_PRIVATE, AWAITED, &timeout, NULL, 0) == 0 || errno != ETIMEDOUT;
}

static void
wake(struct gate *gate, int count)
{
    syscall(SYS_futex, &gate->word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

/* The same stay as a millisecond ago: the others need not find out for themselves. */
static void
go_round(struct gate *gate)
{
    atomic_store_explicit(&gate->stuck, true, memory_order_relaxed);
    wake(gate, INT_MAX);
}

/* A sleeper leaves the word AWAITED when it takes the gate, since others may sleep as well. */
static bool
enter_slowly(struct gate *gate)
{
    if (spin(gate, TAKEN))
        return true;
    while (!atomic_load_explicit(&gate->stuck, memory_order_relaxed)) {
        unsigned turn = atomic_load_explicit(&gate->turns, memory_order_relaxed);

        if (atomic_exchange_explicit(&gate->word, AWAITED, memory_order_acquire) == OPEN)
            return true;
        if (!sleep_at(gate) && turn == atomic_load_explicit(&gate->turns, memory_order_relaxed))
            go_round(gate);
        else if (spin(gate, AWAITED))
            return true;
    }
    return false;
}

bool
glupy_gate_enter(unsigned interpreter)
{
    struct gate *gate = &gates[interpreter];

    if (!take(gate, TAKEN) && !enter_slowly(gate))
        return false;
    /* The holder's alone; no need for a locked addition. */
    atomic_store_explicit(&gate->turns, atomic_load_explicit(&gate->turns, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    return true;
}

void
glupy_gate_leave(unsigned interpreter)
{
    struct gate *gate = &gates[interpreter];

    if (atomic_load_explicit(&gate->stuck, memory_order_relaxed))
        atomic_store_explicit(&gate->stuck, false, memory_order_relaxed);
    if (atomic_exchange_explicit(&gate->word, OPEN, memory_order_release) == AWAITED)
        wake(gate, 1);
}
