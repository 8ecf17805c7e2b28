/* A line of those who wait for their turn at something that is shared: a Mutex, a Semaphore, a Flag. First come, first
 * served: what is free goes to whoever asks only where nobody waits, and what is given back goes to the first in the line.
 *
 * Who has got a turn and will never use it (its coroutine is closed before it goes on, the gather that it was given to fails)
 * gives it on, by itself. Attached, all of it, but for what describes. */
#ifndef GLUPY_TURNS_H
#define GLUPY_TURNS_H

#include "request/awaitable.h"

/* The beginning of each object that is shared: `owner` below. */
struct glupy_turns {
    PyObject_HEAD
    const struct glupy_turns_ops *ops;
    struct list_head waits;
    PyObject *name;   /* str, or NULL */
    const char *text; /* it, or NULL */
};

struct glupy_turns_ops {
    /* It is free, and is the request's now (NULL: code that runs outside any). */
    bool (*take)(PyObject *owner, struct glupy_request *request);
    /* It goes, from whoever gave it back, to one of this request's. May be NULL. */
    void (*pass)(PyObject *owner, struct glupy_request *request);
    /* Who had got it does not want it: what release() does, without errors. May be NULL. */
    void (*give)(PyObject *owner);
    /* Not attached, while a request that waits for it rests. */
    void (*describe)(PyObject *owner, struct glupy_line *line);
};

/* A fresh object of that type, with a name (str; NULL and "": none). TypeError for another name. A new reference, or NULL with
 * an exception. */
PyObject *glupy_turns_new(PyTypeObject *type, const struct glupy_turns_ops *ops, PyObject *name);

/* The end of each of their deallocs. */
void glupy_turns_free(PyObject *owner);

/* Its type's name, and its own where it has one, in words. */
void glupy_turns_say(PyObject *owner, struct glupy_line *line, const char *type);

/* Methods without arguments: an awaitable for one turn; a turn at once, if it is free and nobody waits for it, as a bool;
 * __aenter__, which takes it at once if it can be. */
PyObject *glupy_turns_acquire(PyObject *owner, PyObject *unused);
PyObject *glupy_turns_try_acquire(PyObject *owner, PyObject *unused);
PyObject *glupy_turns_enter(PyObject *owner, PyObject *unused);

/* The same as acquire, but for a turn that stands in the line only from its method _admit() on, which anybody calls: those who wait
 * at a Condition are let in one after another in the order in which they were notified, however their threads run. */
PyObject *glupy_turns_hold_back(PyObject *owner, PyObject *unused);

/* The first in the line has it now. False: nobody waits. */
bool glupy_turns_pass(PyObject *owner);

/* An awaitable that is done, with None: a new reference. */
PyObject *glupy_nothing(struct glupy_state *state);

/* Create the type. 0, or -1 with an exception. */
int glupy_turns_setup(struct glupy_state *state);

#endif
