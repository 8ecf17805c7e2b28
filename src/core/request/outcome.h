/* How something has ended, with a value or with an exception, and giving that to whoever asks, as often as they do.
 * Attached. */
#ifndef GLUPY_OUTCOME_H
#define GLUPY_OUTCOME_H

#include "python/state.h"

struct glupy_outcome {
    PyObject *value;
    PyObject *exception;
    PyObject *traceback; /* what the exception's was at first, or NULL */
};

static inline bool
glupy_outcome_known(const struct glupy_outcome *self)
{
    return self->value || self->exception;
}

/* StopIteration cannot go through an await: it would end the coroutine as if it had returned. Takes a reference and gives
 * one, to what stands for the exception there. */
PyObject *glupy_awaited_exception(PyObject *exception);

/* These take the reference over. */
void glupy_outcome_set_value(struct glupy_outcome *self, PyObject *value);
void glupy_outcome_set_exception(struct glupy_outcome *self, PyObject *exception);

/* The same with the current exception where `value` is NULL. */
void glupy_outcome_set(struct glupy_outcome *self, PyObject *value);

/* A new reference, or NULL with the exception raised. */
PyObject *glupy_outcome_get(const struct glupy_outcome *self);

int glupy_outcome_traverse(struct glupy_outcome *self, visitproc visit, void *arg);
void glupy_outcome_clear(struct glupy_outcome *self);

#endif
