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

#include "awaitable.h"
#include "fop.h"
#include "instance.h"
#include "place.h"
#include "rest.h"
#include "worker.h"

#define GLUPY_IDLE ((struct glupy_awaitable *)1)

struct glupy_wind;
struct glupy_frame;
struct glupy_classic_request;
struct glupy_identity;
struct glupy_sleeper;

/* How a request ends; prepared inside the interpreter, carried out after leaving it (answer.c). */
struct glupy_answer;

struct glupy_request {
    _Atomic(struct glupy_awaitable *) ready;
    struct glupy_instance *instance; /* a reference, given up at the end */
    call_frame_t *frame;
    const struct glupy_fop *fop; /* NULL: a background task */
    unsigned interpreter; /* the instance's, which is gone before the last stay inside */

    PyObject *coroutine;   /* what is being driven, NULL before and after */
    PyObject *outcome;     /* what the method or coroutine returned, once it has */
    PyObject *exception;   /* or what it raised */
    bool finished;         /* one of the two is set */
    bool was_coroutine;    /* the method did not just return */

    unsigned outstanding;        /* armed, not yet completed; the request is not answered before they are */
    unsigned winds;              /* those of them that are winds: the frame must not go before they are back */
    struct glupy_wind *to_wind;  /* armed, to be wound as soon as the interpreter is left */
    bool started;                /* entered Python */
    unsigned wound;              /* how many have been wound, counted up to MANY_WINDS (wind.c) */
    bool owns_args;              /* the wrappers in argv own their values: the caller's have ended */

    PyObject *call;              /* what any_fop is called with, else NULL */

    struct glupy_identity *identity; /* frame.as_root() in force */

    struct glupy_classic_request *classic; /* of a translator written for the first glupy (classic.h), else NULL */
    struct glupy_answer *answer;           /* the runner's, while it is inside the interpreter */

    atomic_bool cancelled;       /* its graph is going: the coroutine is closed instead of stepped */
    struct glupy_awaitable nudge; /* stands in the ready list for nothing but "look again"; no Python object */
    bool busy;                   /* background: something is wound */
    bool counted;                /* background: among those that the instance counts as busy */
    struct list_head link;       /* background: in the instance's list, under the interpreter's lock */

    void (*done)(struct glupy_request *); /* background: called inside the interpreter with outcome or exception set */
    void *done_arg;

    bool offloaded;                /* its method has a thread to itself and may block it (offload.h) */
    bool waits;                    /* in wait() */
    struct glupy_sleeper *sleeper; /* that thread, while it sleeps in wait() */

    struct glupy_rest rest; /* for the list of those that wait */
    uint64_t began;         /* ticks: its first step began; 0: it has not */
    uint64_t since;         /* the latest step began, or ended */
    uint64_t python;        /* ticks in its steps so far */
    bool task_failed;       /* background: ended with an exception */

    struct glupy_request *next_spare; /* after its end: among those that a thread keeps */
    struct glupy_job job; /* on its way to a worker */
    void *late_args;      /* the arguments of a call that came in where Python may not run (held form) */

    /* What the method is called with. The first slot is scratch space that PY_VECTORCALL_ARGUMENTS_OFFSET promises. */
    PyObject *argv[2 + GLUPY_MAX_ARGS];
};

static inline PyObject **
glupy_request_args(struct glupy_request *request)
{
    return &request->argv[2];
}

/* The loc or fd that argument i of the request's own fop is, or NULL where it is something else or is gone. */
loc_t *glupy_request_loc(struct glupy_request *request, unsigned i);
fd_t *glupy_request_fd(struct glupy_request *request, unsigned i);

/* What the request is about, for messages: the path of its first loc or fd that has one or an inode, or, where *path is
 * NULL, the inode. False for a task and for fops without a place. */
bool glupy_request_place(struct glupy_request *request, const char **path, inode_t **inode);

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

/* Have a request looked at once more, by its runner or by a worker. Once in its life. */
void glupy_request_nudge(struct glupy_request *request);

/* Step a coroutine until it waits or ends (step.c). Attached. `task` is NULL for the request's own coroutine. */
void glupy_step(struct glupy_request *request, struct glupy_task *task);

/* Let the awaitable begin, for `waiter` (a task or a gather) or NULL for the request's own coroutine. Attached. 0, or -1
 * with an exception. It may be done at once. */
int glupy_arm(struct glupy_request *request, struct glupy_awaitable *awaitable, struct glupy_awaitable *waiter);

/* An awaitable is done and off the ready list: tell its waiter. Attached, by the runner. */
void glupy_deliver(struct glupy_request *request, struct glupy_awaitable *awaitable);

#endif
