/* Inode and InodeTable. */
#ifndef GLUPY_TYPES_INODE_H
#define GLUPY_TYPES_INODE_H

#include "types.h"

struct glupy_inode_table {
    PyObject_HEAD
    struct glupy_holder holder;
    inode_table_t *table; /* NULL once its graph is gone */
};

/* An Inode that takes over the reference it is given, also when it fails; None for NULL. */
PyObject *glupy_inode_adopt(struct glupy_state *state, inode_t *inode);

/* None for NULL. */
PyObject *glupy_inode_table_new(struct glupy_state *state, inode_table_t *table);

/* NULL with ReferenceError once its graph is gone. */
inode_table_t *glupy_inode_table_alive(PyObject *table);

int glupy_inode_table_setup(struct glupy_state *state);

#endif
