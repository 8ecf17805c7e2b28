/* Entering and leaving the interpreter, on whatever thread GlusterFS calls us.
 *
 * Each thread that runs Python gets a thread state once and keeps it: making one per call, as PyGILState_Ensure does on
 * a foreign thread, costs some ten times the call itself. The state is made by PyGILState_Ensure and left outstanding,
 * so that extension modules which use that API find the very same state; entering is then PyEval_RestoreThread.
 * io-threads and sync processors come and go, so the state is given back when the thread ends. */
#ifndef GLUPY_THREAD_H
#define GLUPY_THREAD_H

#include <stdatomic.h>

#include "base/gluster.h"
#include "python/watched.h"
#include "python/interpreter.h"

/* The end of a private stack that nobody may touch, above private_low. */
#define GLUPY_PRIVATE_GUARD (64u << 10)

struct glupy_drop;
struct glupy_fop;
struct glupy_request;
struct glupy_stats;

struct glupy_thread {
    PyThreadState *tstates[GLUPY_MAX_INTERPRETERS]; /* by interpreter; NULL where it has not been but for the main one */
    bool ours;             /* we made the main interpreter's state, we give it back; the others are always ours */
    unsigned inside;       /* glupy_enter without its glupy_leave: Python may call out into GlusterFS and we come in again */
    atomic_uint stays;     /* those of them in other interpreters than the main one, from before to after */
    bool main;             /* Python's main thread: ours, it may wait */
    struct glupy_request *stepping; /* whose Python code runs, innermost */
    char *stack_low;       /* the thread's own stack: lowest address and end */
    char *stack_high;
    char *private_low;     /* the roomy stack it switches to, NULL until needed (place.c) */
    char *private_high;
    char *signal_stack;    /* what we have mapped for its signal handlers, or NULL (overflow.c) */
    struct list_head link; /* of all threads: glupy_threads_each() */
    pid_t tid;
    xlator_t **works_for; /* its THIS: NULL stands for the process's own, as GlusterFS has it */
    /* What it does, for statistics (stats.h): read by others at any time. */
    _Atomic(const struct glupy_stats *) busy_for;
    _Atomic(const struct glupy_fop *) busy_with;
    _Atomic uint64_t busy_since;
    struct glupy_drop *drops; /* references given up since the last glupy_leave (drops.c); these three under drops_taken */
    unsigned ndrops;
    unsigned room;
    atomic_bool drops_taken;
    atomic_uint owes; /* how many times it is about to release what is no longer in the list; it alone changes that */
    bool half_line; /* its code has printed something of a line (glupy/logs/streams.py) */
    struct glupy_watched watched; /* whose code runs, for those without the interpreter (watch.c) */
    _Atomic uint64_t step;    /* changes whenever a step of Python begins or ends */
    struct glupy_seen seen;
    struct glupy_request *spares; /* memory of requests that have ended, for the next (request.c) */
    int nspares;
};

/* What rooms above keep in an entry, and want to do about it. Named once, by module.c, before there is any thread. */
struct glupy_thread_duties {
    void (*begun)(struct glupy_thread *thread);  /* it has its entry. Not attached */
    void (*leaving)(struct glupy_thread *thread); /* it is about to detach, and has printed half a line */
    void (*left)(struct glupy_thread *thread);   /* it has detached, and has given up references in between (ndrops) */
    void (*ending)(struct glupy_thread *thread); /* it is about to give its states back */
    void (*ended)(struct glupy_thread *thread);  /* it has; its entry is about to be freed */
};

void glupy_threads_owe(const struct glupy_thread_duties *duties);

/* The calling thread's entry, made at the first call. NULL without memory, or when Python is shutting down. */
struct glupy_thread *glupy_thread(void);

/* Call fn for each thread that has an entry; it must be short and must not wait. Not attached. */
void glupy_threads_each(void (*fn)(struct glupy_thread *thread, void *arg), void *arg);

/* An xlator_t is about to be freed, and code of its translator may still run on some threads: from now on those work for
 * nobody. Whoever looks at THIS attached to the interpreter that this is called in finds one that lives. Attached. */
void glupy_threads_forsake(xlator_t *gone);

/* Where the calling thread's THIS is, which GlusterFS asks the loader for each time. A call, and no more to be remembered
 * than THIS itself: a synctask may come back on another thread from whatever it calls. `pure` has the compiler ask once where
 * nothing has been written or called since. */
xlator_t **glupy_this_place(void) __attribute__((pure));

/* The entry if there is one already. */
struct glupy_thread *glupy_thread_if_any(void);

/* Attach to an interpreter, and detach from it. What Python gave up in between is released after detaching. */
void glupy_enter(struct glupy_thread *thread, unsigned interpreter);
void glupy_leave(struct glupy_thread *thread);

/* The same for a short stay, a fop's: those that compete for the interpreter take turns (gate.h). What entering returns is
 * handed to leaving. */
bool glupy_enter_in_turn(struct glupy_thread *thread, unsigned interpreter);
void glupy_leave_in_turn(struct glupy_thread *thread, unsigned interpreter, bool gate);

/* Around what must be over before Python is finalised, other than a stay inside: false when it is too late to begin. */
bool glupy_stay_begin(struct glupy_thread *thread);
void glupy_stay_end(struct glupy_thread *thread);

/* Python is being finalised by the program that hosts us (never by us): no thread may enter any more. To be said attached
 * to the main interpreter; waits until all threads have left the other ones. */
bool glupy_python_gone(void);
void glupy_python_going(void);

#endif
