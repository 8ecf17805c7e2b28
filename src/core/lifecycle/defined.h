/* What a translator's class defines, as the core goes by it: read from one loading of its file, and put in force in one step. */
#ifndef GLUPY_DEFINED_H
#define GLUPY_DEFINED_H

#include "instance/instance.h"

struct glupy_defined {
    struct glupy_handlers handlers;
    PyObject *hooks[GLUPY_HOOK_COUNT];
    PyObject *inode_factory, *fd_factory;
    PyObject *translator;
    bool hears; /* it has notify() */
    bool stops; /* it has stopping() */
};

/* Attached. From the author's object and its methods by name; NULL with an exception. */
struct glupy_defined *glupy_defined_read(struct glupy_state *state, PyObject *translator, PyObject *methods);

/* Attached. Put it in force, and take what was instead: not a line of Python runs. */
void glupy_defined_exchange(struct glupy_instance *instance, struct glupy_defined *defined);

/* Attached. Let go of it; NULL is nothing. */
void glupy_defined_drop(struct glupy_defined *defined);

#endif
