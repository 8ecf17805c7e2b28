/* Option budget: a step of Python that runs for long without an await is noted in the log, with its stack.
 *
 * A step only says that it begins and ends, in a few plain stores. The clock's thread looks at all threads now and then,
 * and takes a step that it finds unchanged for the budget's time for one to be noted. */
#ifndef GLUPY_WATCH_H
#define GLUPY_WATCH_H

#include "python/thread.h"

/* In an instance: what the watch knows of it. */
struct glupy_watch {
    struct list_head link;
    _Atomic uint64_t budget; /* nanoseconds; 0: none */
    xlator_t *this;          /* whose code it is; looked into only while it is in the list */
    unsigned interpreter;    /* and where it runs */
    /* Attached, while the request cannot end: what it is about, a new reference to a str, or None. NULL with an exception. */
    PyObject *(*about)(struct glupy_request *request);
};

/* Author's code begins to run on this thread; the result goes to glupy_watch_end(). The instance lives at least until
 * then. `who` is NULL for code that is not watched: a method with @offload may block. */
static inline struct glupy_watched_before
glupy_watch_begin(struct glupy_thread *thread, struct glupy_watch *who, const char *doing)
{
    struct glupy_watched_before outer = {
        .who = atomic_load_explicit(&thread->watched.who, memory_order_relaxed),
        .doing = atomic_load_explicit(&thread->watched.doing, memory_order_relaxed),
    };

    atomic_store_explicit(&thread->watched.doing, doing, memory_order_relaxed);
    atomic_store_explicit(&thread->step, atomic_load_explicit(&thread->step, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    atomic_store_explicit(&thread->watched.who, who, memory_order_release); /* last: who sees it sees the step */
    return outer;
}

static inline void
glupy_watch_end(struct glupy_thread *thread, struct glupy_watched_before outer)
{
    atomic_store_explicit(&thread->watched.doing, outer.doing, memory_order_relaxed);
    atomic_store_explicit(&thread->step, atomic_load_explicit(&thread->step, memory_order_relaxed) + 1,
                          memory_order_release);
    atomic_store_explicit(&thread->watched.who, outer.who, memory_order_release);
}

/* A thread that enters Python comes and goes. */
void glupy_watch_thread(struct glupy_thread *thread);
void glupy_watch_forget_thread(struct glupy_thread *thread);

/* An instance comes and goes; it goes before its xlator_t does. Forgetting what is not known does nothing. */
void glupy_watch_begins(struct glupy_watch *watch);
void glupy_watch_forget(struct glupy_watch *watch);

/* How long a step of its may run, in nanoseconds; 0: as long as it likes. */
void glupy_watch_budget(struct glupy_watch *watch, uint64_t budget);

/* Where a thread is in Python, and what it is about (a str, or None), as text for the log: a new reference, or NULL with an
 * exception. Attached to that interpreter, in which the thread has been. */
PyObject *glupy_watch_stack(struct glupy_thread *thread, unsigned interpreter, PyObject *about);

/* Where the threads are in Python that run steps of its: a new list of frames, or NULL with an exception. Attached to its
 * interpreter, where the steps cannot go on meanwhile. */
PyObject *glupy_watch_frames(struct glupy_watch *watch);

#endif
