/* to_thread(). */
#ifndef GLUPY_TO_THREAD_H
#define GLUPY_TO_THREAD_H

#include "python/state.h"

/* glupy._core.to_thread() */
PyObject *glupy_to_thread_method(PyObject *module, PyObject *args, PyObject *kwargs);

/* Create the type. 0, or -1 with an exception. Attached. */
int glupy_to_thread_setup(struct glupy_state *state);

#endif
