/* What the generated fops of gfapihost need of its hand-written part. */
#ifndef XL_GFAPIHOST_H
#define XL_GFAPIHOST_H

#include "common.h"

/* Fill in the gfids that a loc lacks and its inodes know. */
void gfapihost_fill(loc_t *loc);

extern struct xlator_fops gfapihost_fops;

#endif
