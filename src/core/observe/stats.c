/* Counting. See stats.h. */
#include "observe/stats.h"


static inline void
add(glupy_counter *counter, uint64_t by)
{
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

/* Of counters that are written by those only who have the instance's interpreter: one at a time, so that reading and
 * writing need not be one step, which costs a processor several times as much. */
static inline void
add_inside(glupy_counter *counter, uint64_t by)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by, memory_order_relaxed);
}

void
glupy_stats_clear(struct glupy_stats *stats)
{
    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++) {
        struct glupy_errno_count *next, *at = atomic_exchange(&stats->fops[i].errnos, NULL);

        for (; at; at = next) {
            next = at->next;
            free(at);
        }
    }
}

void
glupy_stats_called(struct glupy_fop_stats *of)
{
    add(&of->calls, 1);
}

void
glupy_stats_refused(struct glupy_fop_stats *of)
{
    add(&of->refused, 1);
}

void
glupy_stats_exception(struct glupy_fop_stats *of)
{
    add_inside(&of->exceptions, 1);
}

void
glupy_stats_records(struct glupy_stats *stats, uint64_t written, uint64_t dropped)
{
    add_inside(&stats->records_written, written);
    add_inside(&stats->records_dropped, dropped);
}

#define LARGEST_KNOWN EHWPOISON
#define MOST_UNKNOWN 16u

static bool
is_unknown(int32_t op_errno)
{
    return op_errno < 0 || op_errno > LARGEST_KNOWN;
}

/* Without memory an errno is missing from the list; `failed` has it. */
static void
count_errno(struct glupy_fop_stats *stats, int32_t op_errno)
{
    struct glupy_errno_count *first = atomic_load_explicit(&stats->errnos, memory_order_acquire), *fresh;
    unsigned unknown = 0;

    for (struct glupy_errno_count *at = first; at; at = at->next) {
        if (at->op_errno == op_errno) {
            add_inside(&at->count, 1);
            return;
        }
        unknown += is_unknown(at->op_errno);
    }
    if (unknown >= MOST_UNKNOWN && is_unknown(op_errno) && op_errno != GLUPY_OTHER_ERRNO) {
        count_errno(stats, GLUPY_OTHER_ERRNO);
        return;
    }
    fresh = malloc(sizeof(*fresh));
    if (!fresh)
        return;
    fresh->op_errno = op_errno;
    atomic_init(&fresh->count, 1);
    fresh->next = first;
    if (!atomic_compare_exchange_strong_explicit(&stats->errnos, &first, fresh, memory_order_release,
                                                 memory_order_relaxed)) {
        free(fresh); /* another thread was faster */
        count_errno(stats, op_errno);
    }
}

void
glupy_stats_ended(struct glupy_timing *timing, enum glupy_end how)
{
    glupy_stats_step_ends(timing);
    add_inside(&timing->of->waiting, glupy_ticks_between(timing->python, glupy_ticks_between(timing->began, timing->since)));
    add_inside(&timing->of->ended[how], 1);
}

void
glupy_stats_answered(struct glupy_timing *timing, enum glupy_end how, int32_t op_errno)
{
    glupy_stats_ended(timing, how);
    if (how == GLUPY_FAILED)
        count_errno(timing->of, op_errno);
}

struct glupy_activity
glupy_stats_enters(struct glupy_thread *thread, const struct glupy_stats *stats, const struct glupy_fop *fop)
{
    struct glupy_activity before = {
        .stats = atomic_load_explicit(&thread->busy_for, memory_order_relaxed),
        .fop = atomic_load_explicit(&thread->busy_with, memory_order_relaxed),
        .since = atomic_load_explicit(&thread->busy_since, memory_order_relaxed),
    };

    atomic_store_explicit(&thread->busy_since, 0, memory_order_relaxed);
    atomic_store_explicit(&thread->busy_with, fop, memory_order_relaxed);
    atomic_store_explicit(&thread->busy_for, stats, memory_order_relaxed);
    return before;
}

void
glupy_stats_left(struct glupy_thread *thread, const struct glupy_activity *before)
{
    atomic_store_explicit(&thread->busy_for, before->stats, memory_order_relaxed);
    atomic_store_explicit(&thread->busy_with, before->fop, memory_order_relaxed);
    atomic_store_explicit(&thread->busy_since, before->since, memory_order_relaxed);
}

void
glupy_stats_step_begins(struct glupy_thread *thread, struct glupy_timing *timing)
{
    uint64_t now = glupy_ticks();

    atomic_store_explicit(&thread->busy_since, now, memory_order_relaxed);
    timing->since = now;
    if (!timing->began)
        timing->began = now;
}

void
glupy_stats_step_ends(struct glupy_timing *timing)
{
    uint64_t now = glupy_ticks();
    uint64_t taken = glupy_ticks_between(timing->since, now);

    add_inside(&timing->of->python, taken);
    timing->python += taken;
    timing->since = now;
}
