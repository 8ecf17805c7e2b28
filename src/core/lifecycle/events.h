/* Events that GlusterFS sends up and down a graph (GF_EVENT_*), and the author's notify(). */
#ifndef GLUPY_EVENTS_H
#define GLUPY_EVENTS_H

#include "instance/instance.h"

/* xlator_t's own. Any thread, not attached. */
int32_t glupy_notify(xlator_t *this, int32_t event, void *data);

/* Instance.notify_up() and notify_down(): see their docstrings. */
PyObject *glupy_instance_notify_up(PyObject *self, PyObject *event);
PyObject *glupy_instance_notify_down(PyObject *self, PyObject *event);

/* EVENTS of the module: a dict from names to numbers, as the installed header has them. 0, or -1 with an exception. */
int glupy_add_events(PyObject *module);

#endif
