/* `self.log.info` and its like: a line in GlusterFS's log without Python's logging. */
#ifndef GLUPY_LOG_METHOD_H
#define GLUPY_LOG_METHOD_H

#include "python/state.h"

/* _log_method() of the module. */
PyObject *glupy_log_method_new(PyObject *module, PyObject *args);

/* Create the type. 0, or -1 with an exception. Attached. */
int glupy_log_method_setup(struct glupy_state *state);

#endif
