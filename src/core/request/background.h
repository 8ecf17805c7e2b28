/* Background tasks: coroutines without a fop behind them. They have a frame of their own while something is wound, and
 * none while they sleep: GlusterFS waits for all frames to end before it takes a graph down. */
#ifndef GLUPY_BACKGROUND_H
#define GLUPY_BACKGROUND_H

#include "request/request.h"

/* What a task drives of this, if there may be new ones: a coroutine as it is, a wind, gather or Future by its iterator. A new
 * reference, or NULL with an exception. Attached. */
PyObject *glupy_background_drivable(struct glupy_instance *instance, PyObject *value);

/* A task that the instance knows of, of a version of its or of glupy's own (NULL). Attached. `done` is called when it has ended, attached, with the request's outcome
 * or exception set. NULL with an exception. */
struct glupy_request *glupy_background_new(struct glupy_instance *instance, struct glupy_version *version,
                                           PyObject *coroutine, void (*done)(struct glupy_request *), void *arg);

/* Whose a task is that nobody says more of. */
static inline struct glupy_version *
glupy_background_version(struct glupy_instance *instance)
{
    return instance->versions.current ? instance->versions.current : instance->versions.making;
}

/* A frame to wind from; NULL without memory. Not attached. */
call_frame_t *glupy_background_make_frame(struct glupy_request *request);

/* All that it wound has come back: give its frame back. Not attached. */
void glupy_background_rests(struct glupy_request *request);

/* Nothing of it holds on to the graph any more: who waits for that hears. Not attached, hence after a step in which
 * glupy_background_ended() dropped what the task left: an exception's traceback may hold inodes. */
void glupy_background_leaves(struct glupy_request *request);

/* The task has ended: it is counted, the instance forgets it, who waits for it hears. Attached; only the first call
 * counts. */
void glupy_background_ended(struct glupy_request *request);

/* The instance has one more, or one less, of what it waits for when it ends. Any thread. */
void glupy_background_count(struct glupy_instance *instance, int by);

/* Let a task begin: at once, or when the first child has come up. Attached. */
void glupy_background_begin(struct glupy_request *request);

/* A child has come up: let all tasks begin. With or without the interpreter. */
void glupy_background_up(struct glupy_instance *instance);

/* Close the coroutines of all tasks, those that have not begun included. Attached. */
void glupy_background_cancel(struct glupy_instance *instance);

/* Close the coroutine of one; false when it has ended, or that has been asked for before. Attached. */
bool glupy_background_cancel_one(struct glupy_request *request);

/* The same for the tasks of one version: all, or those of every(). Attached. */
void glupy_background_cancel_of(struct glupy_instance *instance, const struct glupy_version *version, bool endless_only);

/* A version is taken: its tasks may begin, if a child has come up. */
void glupy_background_let_begin(struct glupy_instance *instance);

/* Wait until all tasks have ended, after they were cancelled; false when that takes longer than the time given. Not
 * attached. */
bool glupy_background_wait(struct glupy_instance *instance, unsigned seconds);

#endif
