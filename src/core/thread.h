/* Entering and leaving the interpreter, on whatever thread GlusterFS calls us.
 *
 * Each thread that runs Python gets a thread state once and keeps it: making one per call, as PyGILState_Ensure does on
 * a foreign thread, costs some ten times the call itself. The state is made by PyGILState_Ensure and left outstanding,
 * so that extension modules which use that API find the very same state; entering is then PyEval_RestoreThread.
 * io-threads and sync processors come and go, so the state is given back when the thread ends. */
#ifndef GLUPY_THREAD_H
#define GLUPY_THREAD_H

#include <stdatomic.h>

#include "gluster.h"
#include "interpreter.h"
#include "watched.h"

struct glupy_drop;
struct glupy_fop;
struct glupy_instance;
struct glupy_request;

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
    struct list_head link; /* of all threads: glupy_threads_each() */
    pid_t tid;
    /* What it does, for statistics (stats.h): read by others at any time. */
    _Atomic(const struct glupy_instance *) busy_for;
    _Atomic(const struct glupy_fop *) busy_with;
    _Atomic uint64_t busy_since;
    struct glupy_drop *drops; /* references given up since the last glupy_leave (drops.c) */
    unsigned ndrops;
    unsigned room;
    struct glupy_watched watched; /* whose code runs, for those without the interpreter (watch.c) */
    _Atomic uint64_t step;    /* changes whenever a step of Python begins or ends */
    struct glupy_seen seen;
    struct glupy_request *spares; /* memory of requests that have ended, for the next (request.c) */
    int nspares;
};

/* The calling thread's entry, made at the first call. NULL without memory, or when Python is shutting down. */
struct glupy_thread *glupy_thread(void);

/* Call fn for each thread that has an entry; it must be short and must not wait. Not attached. */
void glupy_threads_each(void (*fn)(struct glupy_thread *thread, void *arg), void *arg);

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
