/* Instance.run(): a background task whose end the calling thread waits for. */
#ifndef GLUPY_RUN_H
#define GLUPY_RUN_H

#include "instance/instance.h"

/* See its docstring. */
PyObject *glupy_instance_run(PyObject *self, PyObject *args);

#endif
