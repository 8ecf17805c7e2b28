/* Background tasks: coroutines without a fop behind them. They have a frame of their own while something is wound, and
 * none while they sleep: GlusterFS waits for all frames to end before it takes a graph down. */
#ifndef GLUPY_BACKGROUND_H
#define GLUPY_BACKGROUND_H

#include "request.h"

/* A task that the instance knows of. Attached. `done` is called when it has ended, attached, with the request's outcome
 * or exception set. NULL with an exception. */
struct glupy_request *glupy_background_new(struct glupy_instance *instance, PyObject *coroutine,
                                           void (*done)(struct glupy_request *), void *arg);

/* A frame to wind from; NULL without memory. Not attached. */
call_frame_t *glupy_background_make_frame(struct glupy_request *request);

/* The task is about to wind. Attached. */
void glupy_background_arms(struct glupy_request *request);

/* All that it wound has come back: give its frame back. Not attached. */
void glupy_background_rests(struct glupy_request *request);

/* The task has ended: the instance forgets it, who waits for it hears. It may still stay in memory for a timer that is
 * out. Attached; only the first call counts. */
void glupy_background_ended(struct glupy_request *request);

/* Let a task begin: at once, or when the first child has come up. Attached. */
void glupy_background_begin(struct glupy_request *request);

/* A child has come up: let all tasks begin. With or without the interpreter. */
void glupy_background_up(struct glupy_instance *instance);

/* Close the coroutines of all tasks, those that have not begun included. Attached. */
void glupy_background_cancel(struct glupy_instance *instance);

/* Close the coroutine of one; false when that has been asked for before. Attached. */
bool glupy_background_cancel_one(struct glupy_request *request);

/* Wait until no task has anything wound any more; false when that takes longer than the time given. Not
 * attached. */
bool glupy_background_wait(struct glupy_instance *instance, unsigned seconds);

#endif
