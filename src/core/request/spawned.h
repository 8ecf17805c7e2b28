/* Task in Python: the handle of a coroutine that runs in the background. */
#ifndef GLUPY_SPAWNED_H
#define GLUPY_SPAWNED_H

#include "instance/instance.h"

/* Instance.spawn(): see its docstring. */
PyObject *glupy_instance_spawn(PyObject *self, PyObject *args);

/* Create the type. 0, or -1 with an exception. Attached. */
int glupy_spawned_setup(struct glupy_state *state);

#endif
