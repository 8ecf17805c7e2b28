/* The other side of drops.h: releasing what was given up. */
#ifndef GLUPY_DROPS_QUEUE_H
#define GLUPY_DROPS_QUEUE_H

#include "thread.h"

/* Release what the thread has queued. Not attached to the interpreter. */
void glupy_drops_release(struct glupy_thread *thread);

/* Release what was given up on threads that do not do so themselves, and wait until those who are at it are done; false
 * when that takes too long. For the inode table may be about to go. Not attached to the interpreter. */
bool glupy_drops_settle(unsigned seconds);

#endif
