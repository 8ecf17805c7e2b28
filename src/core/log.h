/* Saying what went wrong, in GlusterFS's log. */
#ifndef GLUPY_LOG_H
#define GLUPY_LOG_H

#include "request.h"

/* Log the current exception with its traceback, the translator, the fop and the path; clears it. Attached. */
void glupy_log_exception(struct glupy_request *request);

/* The same where there is no request: `doing` says what was being done. */
void glupy_log_exception_doing(struct glupy_instance *instance, const char *doing);

/* Which file a request is about: a new reference to a str, or None. NULL with an exception. Attached. */
PyObject *glupy_request_path(struct glupy_request *request);

/* repr() of an author's value for a message, cut when it is long, or its type where there is no repr(). A new reference
 * to a str, or NULL without memory. Leaves no exception behind. */
PyObject *glupy_shown(PyObject *value);

/* One entry in the log. Attached; detaches while it writes. */
void glupy_log(const char *name, gf_loglevel_t level, const char *file, int line, const char *function,
               const char *text);

/* log() and log_level() of the module and of Instance: see the docstrings. `as` is the xlator whose level decides and
 * whose graph the entry names. Attached, which keeps it alive. */
PyObject *glupy_log_as(xlator_t *as, PyObject *args);
PyObject *glupy_log_level_of(xlator_t *as);

PyObject *glupy_log_method(PyObject *module, PyObject *args);
PyObject *glupy_log_level_method(PyObject *module, PyObject *unused);

#endif
