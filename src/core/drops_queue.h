/* The other side of drops.h: releasing what was given up. */
#ifndef GLUPY_DROPS_QUEUE_H
#define GLUPY_DROPS_QUEUE_H

#include "thread.h"

/* Release what the thread has queued. Not attached to the interpreter. */
void glupy_drops_release(struct glupy_thread *thread);

#endif
