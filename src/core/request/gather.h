/* gather(): several awaitables at once. */
#ifndef GLUPY_GATHER_H
#define GLUPY_GATHER_H

#include "request/awaitable.h"

PyObject *glupy_gather_method(PyObject *module, PyObject *args, PyObject *kwargs);

/* Create the type. 0, or -1 with an exception. Attached. */
int glupy_gather_setup(struct glupy_state *state);

#endif
