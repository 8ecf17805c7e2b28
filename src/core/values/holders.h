/* Objects that hold something of a graph's inode table: inodes and fds.
 *
 * When a graph is destroyed (a brick detached from a multiplexed process, glfs_fini()) GlusterFS frees its inode table
 * with all inodes, whatever their reference counts say. A C translator has let go of its inodes by then; Python code
 * that keeps one in a list has not. So every object that owns a reference is known here, and before a table goes, its
 * objects are emptied (lifecycle/graph_end.c): using one then raises ReferenceError instead of touching freed memory. Objects
 * that come to own something of the table afterwards are emptied at once.
 *
 * All functions are called with the interpreter attached, which is also what guards the lists. */
#ifndef GLUPY_HOLDERS_H
#define GLUPY_HOLDERS_H

#include "base/gluster.h"
#include "python/state.h"

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

/* Is the table about to go, or gone? */
bool glupy_table_ends(struct glupy_state *state, const inode_table_t *table);

/* The object owns references into this table from now on. Where the table is about to go, it is emptied here, and the
 * references are nobody's: the table frees what they are to. */
static inline void
glupy_holder_add(struct glupy_state *state, struct glupy_holder *holder, inode_table_t *table,
                 void (*let_go)(struct glupy_holder *self, bool alive))
{
    INIT_LIST_HEAD(&holder->link);
    holder->table = table;
    holder->let_go = let_go;
    if (!list_empty(&state->endings) && glupy_table_ends(state, table))
        let_go(holder, false);
    else
        list_add(&holder->link, &state->holders);
}

/* It owns none any more, or never did. */
static inline void
glupy_holder_remove(struct glupy_holder *holder)
{
    list_del_init(&holder->link);
}

/* The graph of this table goes: empty all objects that hold something of it. */
void glupy_holders_let_go(struct glupy_state *state, inode_table_t *table, bool alive);

/* From now on the table, which is a graph's, is about to go. Without memory to remember that, nothing is noted. */
void glupy_table_ending(struct glupy_state *state, const inode_table_t *table, const glusterfs_graph_t *graph);

/* The tables of that graph have gone: what stands at their addresses is something else. */
void glupy_tables_ended(struct glupy_state *state, const glusterfs_graph_t *graph);

/* For let_go functions: empty one pointer. */
void glupy_let_go_inode(inode_t **inode, bool alive);
void glupy_let_go_fd(fd_t **fd, bool alive);

#endif
