/* Task in Python: the handle of a coroutine that runs in the background. */
#ifndef GLUPY_SPAWNED_H
#define GLUPY_SPAWNED_H

#include "instance.h"

/* Start a coroutine as a background task of the instance: a new Task, or NULL with an exception. Attached. */
PyObject *glupy_task_spawn(struct glupy_instance *instance, PyObject *coroutine);

#endif
