/* Flag: something that has happened, or not yet. */
#ifndef GLUPY_FLAG_H
#define GLUPY_FLAG_H

#include "python/state.h"

/* Create the type. 0, or -1 with an exception. Attached. */
int glupy_flag_setup(struct glupy_state *state);

#endif
