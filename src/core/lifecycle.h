/* An instance's beginning and end, as GlusterFS calls for them. */
#ifndef GLUPY_LIFECYCLE_H
#define GLUPY_LIFECYCLE_H

#include "instance.h"

int32_t glupy_init(xlator_t *this);
void glupy_fini(xlator_t *this);
int32_t glupy_notify(xlator_t *this, int32_t event, void *data);

#endif
