/* Cache: values by key, as many as are allowed, those that were not asked for longest dropped first. */
#ifndef GLUPY_CACHE_H
#define GLUPY_CACHE_H

#include "python/state.h"

/* Create the types. 0, or -1 with an exception. Attached. */
int glupy_cache_setup(struct glupy_state *state);

#endif
