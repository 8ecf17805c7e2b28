/* What failed in the background: nobody is there to be answered, so the log tells, and whoever looks is told of the
 * latest. */
#ifndef GLUPY_FAILURE_H
#define GLUPY_FAILURE_H

#include "instance/instance.h"

/* The current exception ended a task, or what a task does again and again: logs and counts it, and notes it as the latest;
 * clears it. `doing` and `about` are as in glupy_log_raised(). Attached. */
void glupy_failure_in_background(struct glupy_instance *instance, const char *doing, PyObject *about);

/* A copy of the latest, to be given to glupy_failure_clear(): false where there is none. Needs no interpreter. */
bool glupy_failure_copy(struct glupy_instance *instance, struct glupy_failure *out);

#endif
