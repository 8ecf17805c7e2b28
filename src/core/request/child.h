/* Child: a translator below an instance, to which winds go. */
#ifndef GLUPY_CHILD_H
#define GLUPY_CHILD_H

#include "instance/instance.h"

struct glupy_child {
    PyObject_HEAD
    struct glupy_instance *instance; /* a reference: the xlator lives as long as the instance has its own */
    xlator_t *xlator;
};

/* Attached. A new Child of an instance's graph, or NULL with an exception. */
PyObject *glupy_child_new(struct glupy_instance *instance, xlator_t *xlator);

/* Attached. A tuple of Child: what stands below an xlator of the instance's graph. */
PyObject *glupy_children_of(struct glupy_instance *instance, xlator_t *xlator);

/* Attached. The child's xlator, or NULL with ReferenceError once its graph is gone. */
xlator_t *glupy_child_alive(struct glupy_child *child);

/* Attached. For messages; never NULL. */
const char *glupy_child_name(struct glupy_child *child);

/* Create the type. 0, or -1 with an exception. Attached. */
int glupy_child_setup(struct glupy_state *state);

#endif
