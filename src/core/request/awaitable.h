/* What a coroutine can wait for. One protocol for winds, gathers, tasks, futures, timers and threads:
 *
 *   new      created by the author's code
 *   yielded  awaited: the coroutine has handed it to whoever drives it
 *   armed    begun; it will be completed once, from any thread
 *   done     result() gives its value or raises, as often as it is asked
 *   given up who waited for it was closed (glupy_withdraw()): what it may still bring is dropped
 *
 * Gathers and tasks wait for others, which wait for others: as deep as the author's code makes it, and no deeper than
 * Python's recursion limit (glupy_arm). None of them calls another. Who may go on is queued, and takes its turn when
 * whoever queued it has returned (step.c), so the C stack stays flat. All others are completed by glupy_complete(). */
#ifndef GLUPY_AWAITABLE_H
#define GLUPY_AWAITABLE_H

#include "base/gluster.h"
#include "python/state.h"
#include "request/outcome.h"

struct glupy_identity;
struct glupy_request;
struct glupy_limit;
struct glupy_awaitable;
struct glupy_line;

enum glupy_stage { GLUPY_NEW, GLUPY_YIELDED, GLUPY_ARMED, GLUPY_DONE, GLUPY_GIVEN_UP };

struct glupy_awaitable_ops {
    const char *name;
    /* Attached. Begin. 1 when it is done at once, 0 when glupy_complete() will be called, -1 with an exception. */
    int (*arm)(struct glupy_awaitable *self, struct glupy_request *request);
    /* Attached, by the request's runner, once, before the waiter hears of it. May be NULL. */
    void (*landed)(struct glupy_awaitable *self, struct glupy_request *request);
    /* Attached. A new reference, or NULL with an exception. Its own: it asks no other. */
    PyObject *(*result)(struct glupy_awaitable *self);
    /* Attached. Its result is in the hands of an author's code, which goes on with it: what is given back where nobody does is
     * not given back any more. `more`: see glupy_accept_too(). May be NULL. */
    void (*accepted)(struct glupy_awaitable *self, struct glupy_awaitable **more);
    /* Attached. One of those it waits for is done (gather, task): if it may go on now, queue it. NULL where it waits for
     * none. */
    void (*heard)(struct glupy_awaitable *self, struct glupy_request *request, struct glupy_awaitable *from);
    /* Attached, by the request's runner: it was queued, and this is its turn. NULL where heard() is. */
    void (*proceed)(struct glupy_awaitable *self, struct glupy_request *request);
    /* Attached, by the request's runner. It is given up while it is armed: let go of what was begun. True: glupy_complete()
     * will not be called, and what is still at work on it keeps itself alive, without the request. False, and NULL: it has
     * been called, or has to be waited for. Not of those that hear. */
    bool (*withdraw)(struct glupy_awaitable *self, struct glupy_request *request);
    /* Attached. Of those that hear: the i-th of what it waits for or has waited for, a borrowed reference; NULL after the
     * last. */
    struct glupy_awaitable *(*part)(struct glupy_awaitable *self, Py_ssize_t i);
    /* Attached. It has been given up, and so have all that it waited for: end the author's code that it drives. */
    void (*close)(struct glupy_awaitable *self, struct glupy_request *request);
    /* Not attached, while its request rests (rest.h): say in a few words what it is. Only C data may be looked at, and what
     * nobody but the request's runner changes. NULL: its name will do. */
    void (*describe)(struct glupy_awaitable *self, struct glupy_line *line);
};

/* A text that is cut where its room ends. */
struct glupy_line {
    char *text;
    size_t room;
    size_t length;
    unsigned depth; /* of awaitables inside awaitables */
};

__attribute__((format(printf, 2, 3))) void glupy_say(struct glupy_line *line, const char *format, ...);

/* What somebody waits for, in words. See describe() above. */
void glupy_describe(struct glupy_line *line, struct glupy_awaitable *awaitable);

struct glupy_awaitable {
    PyObject_HEAD
    const struct glupy_awaitable_ops *ops;
    enum glupy_stage stage;
    struct glupy_request *request;     /* whose runner completes it, from armed on */
    struct glupy_awaitable *waiter;    /* a reference; NULL: the request's own coroutine */
    struct glupy_awaitable *next;      /* in request->ready, or among those queued for a turn */
    unsigned depth;                    /* how many wait for it, one for another; from armed on */
    bool queued;                       /* for a turn */
    bool is_accepted;                  /* accepted() has been or will be called */
    bool limited;                      /* it may be given up because time is over (limit.h); from armed on */
};

/* A coroutine inside a gather: an awaitable that is done when the coroutine has ended. */
struct glupy_task {
    struct glupy_awaitable base;
    struct glupy_identity *identity; /* frame.as_root() in force in this coroutine */
    PyObject *coroutine;
    struct glupy_awaitable *awaits; /* what the coroutine waits for: a reference, or NULL */
    struct glupy_limit *limits; /* timeout(): those that it is in (limit.h) */
    struct glupy_outcome outcome;
};

/* A task around a coroutine: a new reference, or NULL with an exception. */
struct glupy_task *glupy_task_new(struct glupy_state *state, PyObject *coroutine);

/* One that has ended with an exception, which is stolen. NULL with another. */
struct glupy_task *glupy_task_failed(struct glupy_state *state, PyObject *exception);

/* Is it one of ours? */
bool glupy_is_awaitable(PyObject *object);

/* An awaitable for what an author may give us: one of ours as it is, one for a Future or Task, a task around a coroutine. A
 * new reference; NULL, with an exception where that is not for want of any. */
struct glupy_awaitable *glupy_awaitable_of(struct glupy_state *state, PyObject *object);

/* The result of one that is done, for an author's code to go on with: a new reference, or NULL with an exception. Attached. */
PyObject *glupy_awaitable_take(struct glupy_awaitable *self);

/* In accepted(): so is this one, which is part of it. */
void glupy_accept_too(struct glupy_awaitable *self, struct glupy_awaitable **more);

/* RuntimeError that says why it cannot be awaited now. Attached. */
void glupy_cannot_await(const struct glupy_awaitable *self);

/* Set up the fields of a fresh object. */
void glupy_awaitable_init(struct glupy_awaitable *self, const struct glupy_awaitable_ops *ops);

/* Slots that every awaitable type has. */
PyObject *glupy_awaitable_await(PyObject *self);
PySendResult glupy_awaitable_send(PyObject *self, PyObject *value, PyObject **result);
PyObject *glupy_awaitable_next(PyObject *self);

#define GLUPY_AWAITABLE_SLOTS                                                                                          \
    {Py_am_await, glupy_awaitable_await}, {Py_am_send, glupy_awaitable_send}, {Py_tp_iter, PyObject_SelfIter},          \
    {                                                                                                                  \
        Py_tp_iternext, glupy_awaitable_next                                                                           \
    }

/* Create the type. 0, or -1 with an exception. Attached. */
int glupy_awaitable_setup(struct glupy_state *state);

#endif
