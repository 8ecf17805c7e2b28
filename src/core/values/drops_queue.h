/* The other side of drops.h: releasing what was given up. */
#ifndef GLUPY_DROPS_QUEUE_H
#define GLUPY_DROPS_QUEUE_H

#include "python/thread.h"

/* Release what the thread has queued. Not attached to the interpreter. */
void glupy_drops_release(struct glupy_thread *thread);

/* The thread ends, and queues nothing any more. */
void glupy_drops_forget(struct glupy_thread *thread);

/* The thread has answered a fop, and still has to release what that has left; and it has done so. */
void glupy_drops_owe(struct glupy_thread *thread);
void glupy_drops_paid(struct glupy_thread *thread);

/* Release what was given up on all threads, also on those that stay inside for long and on those that do not do so themselves,
 * and wait until those who are at it are done; false when that takes too long. For the inode table may be about to go. Not
 * attached to the interpreter. */
bool glupy_drops_settle(unsigned seconds);

#endif
