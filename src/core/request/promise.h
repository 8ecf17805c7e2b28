/* What is settled once, by anybody, and awaited by any number: a Future, a task in the background. Each `await` of one
 * makes an awaitable of its own, which stands in the promise's list while it waits. Attached, all of it. */
#ifndef GLUPY_PROMISE_H
#define GLUPY_PROMISE_H

#include "request/awaitable.h"
#include "request/outcome.h"

/* Part of the object that is awaited. */
struct glupy_promise {
    struct glupy_outcome outcome;
    struct list_head waits;       /* those that wait, first come first */
    const char *kind, *name;      /* in words, for those without the interpreter; they stay as long as the object. Or NULL */
    struct glupy_request *settler; /* who alone will settle it, hence cannot wait for it, or NULL */
};

void glupy_promise_init(struct glupy_promise *self, const char *kind, const char *name);

/* It gets its outcome, by one of these, once: wake all who wait. The reference is taken over. */
void glupy_promise_settle(struct glupy_promise *self, PyObject *value);
void glupy_promise_fail(struct glupy_promise *self, PyObject *exception);

/* An awaitable for one await of `owner`, the object that the promise is part of. A new reference, or NULL with an
 * exception. */
PyObject *glupy_promise_await(struct glupy_state *state, PyObject *owner, struct glupy_promise *self);

/* Create the type. 0, or -1 with an exception. */
int glupy_promise_setup(struct glupy_state *state);

#endif
