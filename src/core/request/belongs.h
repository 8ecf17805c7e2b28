/* What belongs to which graph. GlusterFS's translators follow the pointers that they are given without looking, and find
 * their place in an inode by a number that says something in the inode's own graph only: what is wound, and what is answered
 * with, has to be of the graph in which that happens. Asked at the moment of winding and of answering, since before then a graph
 * may go. It costs a comparison for each inode where all is well. All attached. */
#ifndef GLUPY_BELONGS_H
#define GLUPY_BELONGS_H

#include "request/child.h"
#include "values/fop.h"

/* May a request of this instance wind to the child? False with ValueError for a child in another graph. */
bool glupy_belongs_child(struct glupy_instance *instance, struct glupy_child *child);

/* May the child be given these arguments, which convert() has normalised? *table is set to the inode table that they are of, if
 * any. False with ValueError, or with ReferenceError where what an argument stood for is gone. */
bool glupy_belongs_args(struct glupy_child *child, const struct glupy_fop *fop, PyObject *const *args, inode_table_t **table);

/* Is it an inode of the graph that this instance is in? Without an exception: for those who have words of their own. */
bool glupy_belongs_inode(struct glupy_instance *instance, const inode_t *inode);

/* May a fop of this instance be answered with what is held? False with ValueError. */
bool glupy_belongs_reply(struct glupy_instance *instance, const struct glupy_fop *fop, void *held);

#endif
