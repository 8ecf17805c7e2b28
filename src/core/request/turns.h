/* A line of those who wait for their turn at something that is shared: a Mutex, a Semaphore, an Event. First come, first
 * served: what is free goes to whoever asks only where nobody waits, and what is given back goes to the first in the line.
 *
 * Who has got a turn and will never use it (its coroutine is closed before it goes on) gives it on, by itself. Attached, all
 * of it, but for what describes. */
#ifndef GLUPY_TURNS_H
#define GLUPY_TURNS_H

#include "request/awaitable.h"

/* Part of the object that is shared: `owner` below. */
struct glupy_turns {
    const struct glupy_turns_ops *ops;
    struct list_head waits;
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

void glupy_turns_init(struct glupy_turns *self, const struct glupy_turns_ops *ops);

/* An awaitable for one turn at `owner`: a new reference, or NULL with an exception. */
PyObject *glupy_turn_new(struct glupy_state *state, PyObject *owner, struct glupy_turns *turns);

/* At once, if it is free and nobody waits for it. */
bool glupy_turns_try(PyObject *owner, struct glupy_turns *self);

/* For `async with`: it is taken at once if it can be. What is to be awaited, a new reference, or NULL with an exception. */
PyObject *glupy_turns_enter(struct glupy_state *state, PyObject *owner, struct glupy_turns *self);

/* The first in the line has it now. False: nobody waits. */
bool glupy_turns_pass(PyObject *owner, struct glupy_turns *self);

/* An awaitable that is done, with None: a new reference. */
PyObject *glupy_nothing(struct glupy_state *state);

/* Create the type. 0, or -1 with an exception. */
int glupy_turns_setup(struct glupy_state *state);

#endif
