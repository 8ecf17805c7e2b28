/* What a coroutine can wait for. One protocol for winds, gathers, tasks, futures, timers and threads:
 *
 *   new      created by the author's code
 *   yielded  awaited: the coroutine has handed it to whoever drives it
 *   armed    begun; it will be completed once, from any thread
 *   done     result() gives its value or raises, as often as it is asked */
#ifndef GLUPY_AWAITABLE_H
#define GLUPY_AWAITABLE_H

#include "gluster.h"
#include "state.h"

struct glupy_identity;
struct glupy_request;
struct glupy_awaitable;
struct glupy_line;

enum glupy_stage { GLUPY_NEW, GLUPY_YIELDED, GLUPY_ARMED, GLUPY_DONE };

struct glupy_awaitable_ops {
    const char *name;
    /* Attached. Begin. 1 when it is done at once, 0 when glupy_complete() will be called, -1 with an exception. */
    int (*arm)(struct glupy_awaitable *self, struct glupy_request *request);
    /* Attached, by the request's runner, once, before the waiter hears of it. May be NULL. */
    void (*landed)(struct glupy_awaitable *self, struct glupy_request *request);
    /* Attached. A new reference, or NULL with an exception. */
    PyObject *(*result)(struct glupy_awaitable *self);
    /* Attached. One of those it waits for is done (gather, task). NULL where it waits for none. */
    void (*heard)(struct glupy_awaitable *self, struct glupy_request *request, struct glupy_awaitable *from);
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
    struct glupy_awaitable *next;      /* in request->ready */
};

/* A coroutine inside a gather: an awaitable that is done when the coroutine has ended. */
struct glupy_task {
    struct glupy_awaitable base;
    struct glupy_identity *identity; /* frame.as_root() in force in this coroutine */
    PyObject *coroutine;
    struct glupy_awaitable *awaits; /* what the coroutine waits for: a reference, or NULL */
    PyObject *value;
    PyObject *exception;
};

/* A task around a coroutine: a new reference, or NULL with an exception. */
struct glupy_task *glupy_task_new(struct glupy_state *state, PyObject *coroutine);

/* Is it one of ours? */
bool glupy_is_awaitable(PyObject *object);

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

#endif
