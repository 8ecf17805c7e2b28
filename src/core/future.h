/* Future, sleep() and to_thread(): waiting for something that is not a wind. */
#ifndef GLUPY_FUTURE_H
#define GLUPY_FUTURE_H

#include "awaitable.h"

PyObject *glupy_sleep_method(PyObject *module, PyObject *seconds);
PyObject *glupy_to_thread_method(PyObject *module, PyObject *args, PyObject *kwargs);

#endif
