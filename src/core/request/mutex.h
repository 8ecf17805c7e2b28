/* Mutex, and those of inodes: `inode.lock()`. */
#ifndef GLUPY_MUTEX_H
#define GLUPY_MUTEX_H

#include "python/state.h"

/* The Mutex of an inode, for the translator that the Inode is of: a new reference, or NULL with an exception. There is one
 * as long as anybody has it, holds it or waits for it. Attached. */
PyObject *glupy_inode_lock(PyObject *inode);

/* Create the type. 0, or -1 with an exception. Attached. */
int glupy_mutex_setup(struct glupy_state *state);

#endif
