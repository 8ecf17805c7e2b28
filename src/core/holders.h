/* Objects that hold something of a graph's inode table: inodes and fds.
 *
 * When a graph is destroyed (a brick detached from a multiplexed process, glfs_fini()) GlusterFS frees its inode table
 * with all inodes, whatever their reference counts say. A C translator has let go of its inodes by then; Python code
 * that keeps one in a list has not. So every object that owns a reference is known here, and when an instance's graph
 * goes, the objects of that table are emptied: using one then raises ReferenceError instead of touching freed memory.
 *
 * All functions are called with the interpreter attached, which is also what guards the list. */
#ifndef GLUPY_HOLDERS_H
#define GLUPY_HOLDERS_H

#include "gluster.h"
#include "state.h"

struct glupy_holder {
    struct list_head link;
    inode_table_t *table; /* remembered: the inode itself may be gone when it is needed */
    /* Give up what is held: to drops.h while the table is alive, else by only forgetting it. */
    void (*let_go)(struct glupy_holder *self, bool alive);
};

/* A fresh object that owns nothing yet. */
static inline void
glupy_holder_init(struct glupy_holder *holder)
{
    INIT_LIST_HEAD(&holder->link);
}

/* The object owns references into this table from now on. */
static inline void
glupy_holder_add(struct glupy_state *state, struct glupy_holder *holder, inode_table_t *table,
                 void (*let_go)(struct glupy_holder *self, bool alive))
{
    holder->table = table;
    holder->let_go = let_go;
    list_add(&holder->link, &state->holders);
}

/* It owns none any more, or never did. */
static inline void
glupy_holder_remove(struct glupy_holder *holder)
{
    list_del_init(&holder->link);
}

/* The graph of this table goes. */
void glupy_holders_let_go(struct glupy_state *state, inode_table_t *table, bool alive);

/* For let_go functions: empty one pointer. */
void glupy_let_go_inode(inode_t **inode, bool alive);
void glupy_let_go_fd(fd_t **fd, bool alive);

#endif
