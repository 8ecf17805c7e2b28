/* The life of a request: one file operation that entered Python, or one background task.
 *
 * A request is owned by one thread at a time, its runner, which steps its coroutines and winds what they ask for. What a
 * coroutine waits for (a wind's reply, a timer, a future) is an awaitable; whoever completes one, on whatever thread,
 * pushes it on the request's `ready` list. That list's head is the request's whole synchronisation:
 *
 *     GLUPY_IDLE   nobody runs the request: who pushes takes it over and runs it
 *     NULL         a runner is at work and has seen everything so far
 *     a pointer    a runner is at work and will find these
 *
 * So a callback that comes while the winder is still inside STACK_WIND, on this thread (a synchronous child) or another,
 * only leaves its reply; the winder finds it when the wind returns, and the C stack stays flat however many awaits
 * there are. A runner lets go by exchanging NULL for GLUPY_IDLE, which fails if something came in meanwhile. */
#ifndef GLUPY_REQUEST_H
#define GLUPY_REQUEST_H

#include <stdatomic.h>

#include "instance/instance.h"
#include "python/place.h"
#include "python/worker.h"
#include "request/awaitable.h"
#include "request/rest.h"
#include "values/fop.h"

#define GLUPY_IDLE ((struct glupy_awaitable *)1)

struct glupy_wind;
struct glupy_frame;
struct glupy_identity;
struct glupy_sleeper;

/* How a request ends; prepared inside the interpreter, carried out after leaving it (answer.c). */
struct glupy_answer;

/* How far the author's code has come. */
struct glupy_progress {
    PyObject *coroutine; /* what is being driven, NULL before and after */
    PyObject *outcome;   /* what the method or coroutine returned, once it has */
    PyObject *exception; /* or what it raised */
    bool finished;       /* one of the two is set */
    bool was_coroutine;  /* the method did not just return */
    struct glupy_awaitable *turns; /* tasks and gathers that may go on, the next one first: references */
    bool own_turn;                 /* when there are none of them: its own coroutine may go on */
    struct glupy_task *driven;     /* whose coroutine is being stepped; NULL: its own, or none */
    struct glupy_limit *limits;    /* timeout(): those that its own coroutine is in (limit.h) */
    bool limited;                  /* there are any */
    unsigned too_deep;             /* how many awaitables were nested too deep since it last did */
};

/* What it has begun and waits for. */
struct glupy_out {
    unsigned count;             /* armed, not yet completed; the request is not answered before they are */
    unsigned winds;             /* those of them that are winds: the frame must not go before they are back */
    struct glupy_wind *to_wind; /* armed, to be wound as soon as the interpreter is left */
    unsigned wound;             /* how many have been wound, counted up to MANY_WINDS (wind.c) */
};

/* How it came in, and what with. */
struct glupy_arrival {
    bool started;    /* entered Python */
    bool owns_args;  /* the wrappers in argv own their values: the caller's have ended */
    PyObject *call;  /* what any_fop is called with, else NULL */
    void *late_args; /* the arguments of a call that came in where Python may not run (held form) */
};

/* Of background tasks (background.h). */
struct glupy_background {
    atomic_bool cancelled;        /* by cancel(), or its graph is going: the coroutine is closed instead of stepped */
    bool closed;                  /* which it has been: its exception says no more than that */
    bool held;                    /* it waits for the first child to come up; under the instance's lock */
    struct glupy_awaitable nudge; /* stands in the ready list for nothing but "look again"; no Python object */
    bool busy;                    /* something is wound, or has been since it last rested */
    pid_t pid;                    /* whose its winds are, or 0 */
    bool owner;                   /* it can own locks, which are its own */
    bool counted;                 /* among those that the instance waits for at its end */
    bool endless;                 /* it is one of every(): it ends when its version is replaced */
    struct list_head link;        /* in the instance's list, under the interpreter's lock */
    void (*done)(struct glupy_request *); /* called inside the interpreter with outcome or exception set */
    void *done_arg;
};

/* Of methods with @offload (offload.h). */
struct glupy_offload {
    bool wanted;                   /* the method has a thread to itself and may block it */
    bool waits;                    /* in wait() */
    struct glupy_sleeper *sleeper; /* that thread, while it sleeps in wait() */
};

struct glupy_request {
    _Atomic(struct glupy_awaitable *) ready;
    struct glupy_instance *instance; /* a reference, given up at the end */
    struct glupy_version *version;   /* of the instance's, which keeps it: whose code it runs; NULL: a task of glupy's own */
    call_frame_t *frame;
    const struct glupy_fop *fop; /* NULL: a background task */
    unsigned interpreter; /* the instance's, which is gone before the last stay inside */
    void *flavoured;             /* what the instance's flavour keeps with it (flavour.h), or NULL */
    struct glupy_answer *answer; /* the runner's, while it is inside the interpreter */
    struct glupy_identity *identity; /* frame.as_root() in force */

    struct glupy_progress progress;
    struct glupy_out out;
    struct glupy_arrival arrival;
    struct glupy_rest rest;     /* for the list of those that wait */
    struct glupy_timing timing; /* for the counters */
    struct glupy_background task;
    struct glupy_offload offload;

    struct glupy_request *next_spare; /* after its end: among those that a thread keeps */
    struct glupy_job job; /* on its way to a worker */

    /* What the method is called with. The first slot is glupy_call_method()'s. */
    PyObject *argv[2 + GLUPY_MAX_ARGS];
};

/* Its coroutines are closed instead of stepped: its task was cancelled, or its graph is gone, and whoever asked with it.
 * Attached. */
static inline bool
glupy_request_cancelled(struct glupy_request *request)
{
    return atomic_load_explicit(&request->task.cancelled, memory_order_relaxed) || !request->instance->this;
}

static inline PyObject **
glupy_request_args(struct glupy_request *request)
{
    return &request->argv[2];
}

/* Run a request that the caller owns until it is answered or has to wait. `passed` (the fop's struct glupy_NAME_args)
 * is given at the first call only. The request may be gone on return. */
void glupy_request_run(struct glupy_request *request, struct glupy_thread *thread, enum glupy_place place,
                       const void *passed);

/* Take over a request that came to rest, or leave the awaitable to the one who runs it. Any thread, any stack, not
 * attached to the interpreter. */
void glupy_complete(struct glupy_awaitable *awaitable);

/* The same, but a takeover is handed to a worker: for code that is attached to the interpreter, and for the clock, which
 * has other alarms to attend to. */
void glupy_complete_elsewhere(struct glupy_awaitable *awaitable);

/* A request that the caller owns; NULL without memory. It is freed by being answered. */
struct glupy_request *glupy_request_new(struct glupy_instance *instance, call_frame_t *frame,
                                        const struct glupy_fop *fop);

/* Its memory, after its end or before its beginning. The thread keeps some for its next requests. */
void glupy_request_free(struct glupy_request *request);

/* The thread ends: free those that it keeps. */
void glupy_request_free_spares(struct glupy_thread *thread);
/* Let go of a request that the caller owns and that has to wait; false, and it stays the caller's, when something has
 * come in for it. Whoever takes it over calls glupy_rest_end(). Not attached. */
bool glupy_request_rests(struct glupy_request *request);

/* Hand out what has come in. Attached, by the runner. */
void glupy_request_land(struct glupy_request *request);

/* Have a worker run a request that the caller owns. */
void glupy_request_submit(struct glupy_request *request);

/* The same for one that has not begun, with copies of the caller's arguments (entry.c). It is answered without memory. Not
 * attached. */
void glupy_request_begin_elsewhere(struct glupy_request *request, const void *passed);

/* Have a request looked at once more, by its runner or by a worker. Once in its life. */
void glupy_request_nudge(struct glupy_request *request);

/* Step the request's own coroutine until it waits or ends, then whatever it has begun (step.c). Attached. */
void glupy_step(struct glupy_request *request);

/* Step the coroutine of a task until it waits or ends. Attached, as its turn. */
void glupy_step_task(struct glupy_request *request, struct glupy_task *task);

/* The task or gather may go on. Attached. Whoever leads to this calls glupy_take_turns() in the end, when none of its own
 * frames on the C stack belongs to an awaitable. */
void glupy_queue(struct glupy_request *request, struct glupy_awaitable *awaitable);

/* Let all go on that may, and those that may thereby. Attached, by the runner. */
void glupy_take_turns(struct glupy_request *request);

/* A task in the background is cancelled: give up all that it waits for, close its coroutine. Attached, by the runner. */
void glupy_step_cancelled(struct glupy_request *request);

/* Close a coroutine in a gather that has been given up. Attached. */
void glupy_step_close(struct glupy_request *request, struct glupy_task *task);

/* Let the awaitable begin, for `waiter` (a task or a gather) or NULL for the request's own coroutine. Attached. 0, or -1
 * with an exception (RecursionError where awaitables wait for each other without end). It may be done at once. */
int glupy_arm(struct glupy_request *request, struct glupy_awaitable *awaitable, struct glupy_awaitable *waiter);

/* An awaitable is done and off the ready list: its waiter, or the request's own coroutine, may have a turn. Attached, by
 * the runner. */
void glupy_deliver(struct glupy_request *request, struct glupy_awaitable *awaitable);

#endif
