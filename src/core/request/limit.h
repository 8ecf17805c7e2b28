/* timeout(): a part of a coroutine that may last for so long.
 *
 * The time is an alarm (sleep.h) that the coroutine's request has begun as it begins anything, and nobody awaits: the limit
 * hears of it. What the coroutine waits for then is given up (withdraw.h), and TimeoutError raised where it did. Winds that
 * are begun in a limit go out on frames of their own, so that their request need not wait for those that are given up. */
#ifndef GLUPY_LIMIT_H
#define GLUPY_LIMIT_H

#include "request/request.h"

struct glupy_limit;

/* Of a coroutine: the innermost that it is in, or NULL. It leads to those around it. */
struct glupy_limit **glupy_limits_of(struct glupy_request *request, struct glupy_task *task);

/* The coroutine goes on. True: the current exception is to be raised in it, since what it waited for was given up. Attached. */
bool glupy_limits_raise(struct glupy_limit *limits);

/* It is about to begin something. True: the time of a limit was over before, and the current exception says so. Attached. */
bool glupy_limits_over(struct glupy_limit *limits);

/* It has ended. Attached, by the runner. */
void glupy_limits_end(struct glupy_limit **limits);

PyObject *glupy_timeout_method(PyObject *module, PyObject *seconds);

/* Create the type. 0, or -1 with an exception. Attached. */
int glupy_limit_setup(struct glupy_state *state);

#endif
