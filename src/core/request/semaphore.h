/* Semaphore: so many at a time. */
#ifndef GLUPY_SEMAPHORE_H
#define GLUPY_SEMAPHORE_H

#include "python/state.h"

/* Create the type. 0, or -1 with an exception. Attached. */
int glupy_semaphore_setup(struct glupy_state *state);

#endif
