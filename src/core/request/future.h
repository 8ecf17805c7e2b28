/* Future: a result that is still to come, settled by the author's code. */
#ifndef GLUPY_FUTURE_H
#define GLUPY_FUTURE_H

#include "python/state.h"

/* Create the type. 0, or -1 with an exception. Attached. */
int glupy_future_setup(struct glupy_state *state);

#endif
