/* An instance's beginning and end, as GlusterFS calls for them. */
#ifndef GLUPY_LIFECYCLE_H
#define GLUPY_LIFECYCLE_H

#include "instance/instance.h"

int32_t glupy_init(xlator_t *this);
void glupy_fini(xlator_t *this);

/* Wait for what background tasks have wound, for some seconds; it is logged when that does not do. Not attached. */
void glupy_wait_for_rest(struct glupy_instance *self);

#endif
