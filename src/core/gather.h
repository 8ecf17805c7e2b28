/* gather(): several awaitables at once. */
#ifndef GLUPY_GATHER_H
#define GLUPY_GATHER_H

#include "awaitable.h"

PyObject *glupy_gather_method(PyObject *module, PyObject *args, PyObject *kwargs);

#endif
