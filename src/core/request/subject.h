/* What a request is about, and saying so when it fails. */
#ifndef GLUPY_SUBJECT_H
#define GLUPY_SUBJECT_H

#include "request/request.h"

/* The loc or fd that argument i of the request's own fop is, or NULL where it is something else or is gone. */
loc_t *glupy_request_loc(struct glupy_request *request, unsigned i);
fd_t *glupy_request_fd(struct glupy_request *request, unsigned i);

/* What the request is about, for messages: the path of its first loc or fd that has one or an inode in the table, or, where
 * *path is NULL, the inode. False for a task and for fops without a place. */
bool glupy_request_place(struct glupy_request *request, const char **path, inode_t **inode);

/* The same as text: a new reference to a str, or None. NULL with an exception. Attached. */
PyObject *glupy_request_path(struct glupy_request *request);

/* glupy._core._request(): whose code runs on this thread. Instance, name of the fop or None, path or None, unique or None.
 * RuntimeError outside of all. */
PyObject *glupy_request_method(PyObject *module, PyObject *unused);

/* Log the current exception with its traceback, the translator, the fop and the path; counts and clears it. Attached. */
void glupy_log_exception(struct glupy_request *request);

/* The same with other words for what failed, and what that was about: a str, or NULL. */
void glupy_log_exception_of(struct glupy_request *request, const char *doing, PyObject *about);

#endif
