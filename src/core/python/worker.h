/* Our own threads, with roomy stacks: for calls that came in on a stack where Python may not run, for timers that came
 * due, for blocking functions (to_thread), for background tasks. */
#ifndef GLUPY_WORKER_H
#define GLUPY_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <glusterfs/list.h>

struct glupy_job {
    struct list_head link;
    void (*run)(struct glupy_job *job); /* called once, on a worker, not attached to the interpreter */
};

/* Queue a job; it owns its memory. Never waits, needs little stack, works with or without the interpreter attached. */
void glupy_worker_submit(struct glupy_job *job);

/* The same for a job that may block for long: it gets a thread of another pool, so that however many of these hang,
 * requests go on. */
void glupy_worker_submit_blocking(struct glupy_job *job);

/* A job of that pool that has been submitted is not to be run. False where it has begun, or has been run. */
bool glupy_worker_withdraw_blocking(struct glupy_job *job);

/* A thread of that pool waits for what others have to do, and waits no more. While it does it takes up no place among
 * those that the pool may have: what it waits for may need one. Not attached. */
void glupy_worker_waits(bool waits);

/* See to it that there is one worker at least: what is queued will be run, whatever becomes of starting more. Not
 * attached. 0, or an errno value. */
int glupy_worker_prepare(void);

/* Whether a job of either pool is queued or runs, but for those on threads that wait (glupy_worker_waits). */
bool glupy_worker_busy(void);

#endif
