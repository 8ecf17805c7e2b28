/* @glupy.offload: fop methods that block, each on a thread of ours that it may keep, and glupy.wait() for them. */
#ifndef GLUPY_OFFLOAD_H
#define GLUPY_OFFLOAD_H

#include "request/request.h"

struct glupy_sleeper;

/* wait(awaitable): the method's thread waits for it, in place of an await. */
PyObject *glupy_wait_method(PyObject *module, PyObject *value);

/* The request, which the caller owns, is its sleeping method's again. Any thread, attached or not. */
void glupy_sleeper_wake(struct glupy_sleeper *sleeper);

#endif
