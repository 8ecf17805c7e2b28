/* Options that change while the graph is up, and what of the common ones the core itself goes by. */
#ifndef GLUPY_RECONFIGURE_H
#define GLUPY_RECONFIGURE_H

#include "instance/instance.h"

/* xlator_t's own. Any thread, not attached. Always 0: the volume lives on. */
int32_t glupy_reconfigure(xlator_t *this, dict_t *options);

/* Instance.configure(), vote(), report(), records() and task_failed(): see their docstrings. */
PyObject *glupy_instance_configure(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *glupy_instance_vote(PyObject *self, PyObject *args);
PyObject *glupy_instance_report(PyObject *self, PyObject *args);
PyObject *glupy_instance_records(PyObject *self, PyObject *args);
PyObject *glupy_instance_task_failed(PyObject *self, PyObject *args);

#endif
