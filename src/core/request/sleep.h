/* sleep(). */
#ifndef GLUPY_SLEEP_H
#define GLUPY_SLEEP_H

#include "python/state.h"

struct glupy_awaitable;

/* glupy._core.sleep() */
PyObject *glupy_sleep_method(PyObject *module, PyObject *seconds);

/* glupy._core._pause(): for what is not the author's time. */
PyObject *glupy_pause_method(PyObject *module, PyObject *seconds);

/* The same: a new reference, or NULL with an exception. */
struct glupy_awaitable *glupy_sleep_of(struct glupy_state *state, double seconds);

/* Create the type. 0, or -1 with an exception. Attached. */
int glupy_sleep_setup(struct glupy_state *state);

#endif
