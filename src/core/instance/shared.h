/* glupy.Shared: what interpreters of this process have in common, bytes by name.
 *
 * An object belongs to its interpreter, and so does a lock of Python's; this is where they meet. Everything is copied on
 * its way in and out, under a mutex of our own that nobody holds while doing anything else. A namespace is text that its
 * users agree on; it comes with its first value. */
#ifndef GLUPY_SHARED_H
#define GLUPY_SHARED_H

#include "base/gluster.h"
#include "python/state.h"

/* The namespace that is one translator's alone: Instance.space. */
#define GLUPY_SPACE_FORMAT "translator %p"
#define GLUPY_SPACE_ROOM 48

static inline void
glupy_space_of(xlator_t *this, char *space)
{
    snprintf(space, GLUPY_SPACE_ROOM, GLUPY_SPACE_FORMAT, (void *)this);
}

/* Not attached. All of a namespace goes. */
void glupy_shared_drop(const char *space);

/* Functions of the module: see their docstrings. */
PyObject *glupy_shared_get_method(PyObject *module, PyObject *args);
PyObject *glupy_shared_swap_method(PyObject *module, PyObject *args);
PyObject *glupy_shared_keys_method(PyObject *module, PyObject *space);

#endif
