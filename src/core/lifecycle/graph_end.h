/* The end of a graph, as far as all translators of ours in it have it in common: its inode tables.
 *
 * GlusterFS frees a table with all its inodes, whatever their reference counts say: libgfapi before it calls anybody's fini(),
 * a brick that is detached likewise, others after the fini() of the layer that has the table, which is above ours. What
 * always comes before is PARENT_DOWN, or, for a layer at the very top of a brick, CHILD_DOWN with cleanup_starting set. So when
 * that has gone by the last of our translators in the graph, whatever Python holds of its tables is given up, in all
 * interpreters, and nothing can come to be held any more (values/holders.h).
 *
 * FUSE mounts are left alone: they keep a graph that another one has taken the place of, with its inodes, and end with their
 * process. */
#ifndef GLUPY_GRAPH_END_H
#define GLUPY_GRAPH_END_H

#include "instance/instance.h"

/* An instance is loaded, its graph has come up, it is taken away. Of primaries; not attached. */
void glupy_graph_joined(struct glupy_instance *primary);
void glupy_graph_up(struct glupy_instance *primary);
void glupy_graph_left(struct glupy_instance *primary);

/* An instance that is loaded into a graph which does not come up, or NULL: GlusterFS frees what has been loaded before a
 * translator whose init() fails, and calls nobody's fini(). It is no longer known. Not attached. */
struct glupy_instance *glupy_graph_stranded(const glusterfs_graph_t *graph);

/* The end has gone by this translator and all below it. Not attached. What was inside has had the chance to leave, and the
 * author's fini() been called, when this returns; or 10 seconds have passed. */
void glupy_graph_passed(struct glupy_instance *primary);

/* Give up, in the instance's interpreter, what is held of its graph's tables: for an instance whose graph has not been seen to
 * end. False: a thread is away with something of it in hand, so that it cannot be done yet. Attached. */
bool glupy_graph_empty(struct glupy_instance *instance);

/* Is none of ours left in it? */
bool glupy_graph_is_left(const glusterfs_graph_t *graph);

/* Is it the one kind of process that keeps a graph that has ended? */
bool glupy_graphs_are_kept(const glusterfs_ctx_t *ctx);

/* Call what is given for each primary in a graph that is up, as long as it returns true; none goes meanwhile. Not attached. */
void glupy_graphs_each(bool (*fn)(struct glupy_instance *primary, void *arg), void *arg);

#endif
