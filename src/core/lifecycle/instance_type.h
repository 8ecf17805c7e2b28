/* The Python type Instance. */
#ifndef GLUPY_INSTANCE_TYPE_H
#define GLUPY_INSTANCE_TYPE_H

#include "instance/instance.h"

/* Create the type. 0, or -1 with an exception. Attached. */
int glupy_instance_setup(struct glupy_state *state);

#endif
