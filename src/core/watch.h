/* Option budget: a step of Python that runs for long without an await is noted in the log, with its stack.
 *
 * A step only says that it begins and ends, in a few plain stores. The clock's thread looks at all threads now and then,
 * and takes a step that it finds unchanged for the budget's time for one to be noted. */
#ifndef GLUPY_WATCH_H
#define GLUPY_WATCH_H

#include "instance.h"

/* Author's code begins to run on this thread; the result goes to glupy_watch_end(). The instance lives at least until
 * then. It is NULL for code that is not watched: a method with @offload may block. */
static inline struct glupy_watched
glupy_watch_begin(struct glupy_thread *thread, struct glupy_instance *instance, const char *doing)
{
    struct glupy_watched outer;

    atomic_init(&outer.instance, atomic_load_explicit(&thread->watched.instance, memory_order_relaxed));
    atomic_init(&outer.doing, atomic_load_explicit(&thread->watched.doing, memory_order_relaxed));
    atomic_store_explicit(&thread->watched.doing, doing, memory_order_relaxed);
    atomic_store_explicit(&thread->step, atomic_load_explicit(&thread->step, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    atomic_store_explicit(&thread->watched.instance, instance, memory_order_release); /* last: who sees it sees the step */
    return outer;
}

static inline void
glupy_watch_end(struct glupy_thread *thread, struct glupy_watched outer)
{
    struct glupy_instance *instance = atomic_load_explicit(&outer.instance, memory_order_relaxed);

    atomic_store_explicit(&thread->watched.doing, atomic_load_explicit(&outer.doing, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_store_explicit(&thread->step, atomic_load_explicit(&thread->step, memory_order_relaxed) + 1,
                          memory_order_release);
    atomic_store_explicit(&thread->watched.instance, instance, memory_order_release);
}

/* A thread that enters Python comes and goes. */
void glupy_watch_thread(struct glupy_thread *thread);
void glupy_watch_forget_thread(struct glupy_thread *thread);

/* An instance comes and goes; it goes before its xlator_t does. */
void glupy_watch_instance(struct glupy_instance *instance);
void glupy_watch_forget_instance(struct glupy_instance *instance);

/* How long a step of its may run, in nanoseconds; 0: as long as it likes. */
void glupy_watch_budget(struct glupy_instance *instance, uint64_t budget);

#endif
