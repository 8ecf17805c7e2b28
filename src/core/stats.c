/* Counting. See stats.h. */
#include "stats.h"

#include "answer.h"
#include "request.h"

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

static struct glupy_fop_stats *
stats_of(struct glupy_instance *instance, const struct glupy_fop *fop)
{
    return fop ? &instance->stats.fops[fop - glupy_fops] : &instance->stats.tasks;
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
glupy_stats_called(struct glupy_instance *instance, const struct glupy_fop *fop)
{
    add(&stats_of(instance, fop)->calls, 1);
}

void
glupy_stats_refused(struct glupy_instance *instance, const struct glupy_fop *fop)
{
    add(&stats_of(instance, fop)->refused, 1);
}

void
glupy_stats_task_begins(struct glupy_instance *instance)
{
    glupy_stats_called(instance, NULL);
}

void
glupy_stats_exception(struct glupy_request *request)
{
    add_inside(&stats_of(request->instance, request->fop)->exceptions, 1);
}

/* Without memory an errno is missing from the list; `failed` has it. */
static void
count_errno(struct glupy_fop_stats *stats, int32_t op_errno)
{
    struct glupy_errno_count *first = atomic_load_explicit(&stats->errnos, memory_order_acquire), *fresh;

    for (struct glupy_errno_count *at = first; at; at = at->next) {
        if (at->op_errno == op_errno) {
            add_inside(&at->count, 1);
            return;
        }
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

static void
count_ending(struct glupy_fop_stats *stats, const struct glupy_answer *answer, bool task_failed)
{
    if (answer->how == GLUPY_TAIL) {
        add_inside(&stats->passed_on, 1);
    } else if (answer->how == GLUPY_END) {
        add_inside(task_failed ? &stats->failed : &stats->succeeded, 1);
    } else if (answer->how == GLUPY_UNWIND && answer->op_ret >= 0) {
        add_inside(&stats->succeeded, 1);
    } else {
        add_inside(&stats->failed, 1);
        count_errno(stats, answer->op_errno);
    }
}

void
glupy_stats_answered(struct glupy_request *request, const struct glupy_answer *answer)
{
    struct glupy_fop_stats *stats = stats_of(request->instance, request->fop);

    glupy_stats_step_ends(request);
    add_inside(&stats->waiting, glupy_ticks_between(request->python, glupy_ticks_between(request->began, request->since)));
    count_ending(stats, answer, request->task_failed);
}

struct glupy_activity
glupy_stats_enters(struct glupy_thread *thread, const struct glupy_request *request)
{
    struct glupy_activity before = {
        .instance = atomic_load_explicit(&thread->busy_for, memory_order_relaxed),
        .fop = atomic_load_explicit(&thread->busy_with, memory_order_relaxed),
        .since = atomic_load_explicit(&thread->busy_since, memory_order_relaxed),
    };

    atomic_store_explicit(&thread->busy_since, 0, memory_order_relaxed);
    atomic_store_explicit(&thread->busy_with, request->fop, memory_order_relaxed);
    atomic_store_explicit(&thread->busy_for, request->instance, memory_order_relaxed);
    return before;
}

void
glupy_stats_left(struct glupy_thread *thread, const struct glupy_activity *before)
{
    atomic_store_explicit(&thread->busy_for, before->instance, memory_order_relaxed);
    atomic_store_explicit(&thread->busy_with, before->fop, memory_order_relaxed);
    atomic_store_explicit(&thread->busy_since, before->since, memory_order_relaxed);
}

void
glupy_stats_step_begins(struct glupy_thread *thread, struct glupy_request *request)
{
    uint64_t now = glupy_ticks();

    atomic_store_explicit(&thread->busy_since, now, memory_order_relaxed);
    request->since = now;
    if (!request->began)
        request->began = now;
}

void
glupy_stats_step_ends(struct glupy_request *request)
{
    uint64_t now = glupy_ticks();
    uint64_t taken = glupy_ticks_between(request->since, now);

    add_inside(&stats_of(request->instance, request->fop)->python, taken);
    request->python += taken;
    request->since = now;
}
