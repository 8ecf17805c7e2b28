/* Inode and InodeTable. */
#ifndef GLUPY_TYPES_INODE_H
#define GLUPY_TYPES_INODE_H

#include "values/types/references.h"

struct glupy_inode_table {
    PyObject_HEAD
    struct glupy_holder holder;
    struct glupy_instance *owner; /* of the inodes that it gives: a reference */
    inode_table_t *table; /* NULL once its graph is gone */
};

/* An Inode that takes over the reference it is given, also when it fails; None for NULL. */
PyObject *glupy_inode_adopt(struct glupy_state *state, struct glupy_instance *owner, inode_t *inode);

/* What the hooks are called with: an Inode or Fd that has gone. They take `gone` over, also when they fail. */
PyObject *glupy_inode_forgotten(struct glupy_state *state, struct glupy_instance *owner, struct glupy_gone *gone);
PyObject *glupy_fd_released(struct glupy_state *state, struct glupy_instance *owner, struct glupy_gone *gone);

/* None for NULL. */
PyObject *glupy_inode_table_new(struct glupy_state *state, struct glupy_instance *owner, inode_table_t *table);

/* NULL with ReferenceError once its graph is gone. */
inode_table_t *glupy_inode_table_alive(PyObject *table);

int glupy_inode_table_setup(struct glupy_state *state);

#endif
