/* Context: what authors hang on inodes and fds (inode.ctx, fd.ctx), one value for each instance.
 *
 * Where several interpreters serve a translator, each has a context of its own on what it meets: the slot leads to a chain
 * of them. It is kept where a C translator keeps its own: in GlusterFS's slot for this translator, inode_ctx_set() and
 * fd_ctx_set(). The slot leads to a struct glupy_context, which owns a reference to the Python object. The slot is read
 * and changed by threads that are attached to the interpreter and hold a reference to the inode or fd; it is emptied by
 * GlusterFS when the last reference goes (forget, release), on whatever thread, without the interpreter: see hooks.h.
 * With the interpreter attached, GlusterFS's locks of the inode, the fd and the inode table are taken inside of it. That
 * cannot end in a deadlock, because nobody who has one of them waits for the interpreter.
 *
 * An inode that lookup, create and the like are given is not in the table yet, and may never be: the top of the graph
 * links it after the reply, and if the table knows the gfid by then, that inode stays and ours is forgotten. So, once
 * an instance uses contexts, it looks at each reply that tells of an inode (glupy_contexts_met): the context is kept on,
 * or moves to, the inode that the table has. What still ends on an inode that lost moves when that one is forgotten, by
 * the gfid that the context remembers. */
#ifndef GLUPY_CONTEXT_H
#define GLUPY_CONTEXT_H

#include "instance/instance.h"
#include "values/types/references.h"

struct glupy_fop;

struct glupy_context {
    /* The value is gone.ctx; without one it only remembers a gfid. gone.gfid, while in a slot: of an inode that is not in
     * the table, the gfid that it turned out to have; else null. The rest only once it has left. */
    struct glupy_gone gone;
    struct list_head link;      /* in the list of its instance, under the interpreter's lock */
    struct glupy_instance *instance; /* whose it is, and so in which interpreter it ends */
    struct glupy_context *other; /* in the same slot: of another replica (replicas.h) */
    struct glupy_context *next; /* in the queue of what has left (hooks.c) */
    enum glupy_hook hook;       /* once it has left: whom to tell */
    char *client;
};

/* Attached. A successful reply tells what the inodes in it, or the inode that the call was about, stand for. `held` is
 * the reply in the form in which C owns it. */
void glupy_contexts_met(struct glupy_instance *instance, const struct glupy_fop *fop, void *held, inode_t *inode);

/* Attached, where there has been a context. The method wants to pass the reply by Python (a tail wind), but has set one on an
 * inode that is not in the table: then the reply has to be seen. `args`: the call's arguments, as they were wrapped. */
bool glupy_contexts_want_reply(struct glupy_instance *instance, const struct glupy_fop *fop, PyObject *const *args);

/* Not attached. Take the chain that this translator has in the slot of an inode or fd that goes. NULL: nothing. */
struct glupy_context *glupy_context_take_inode(struct glupy_instance *primary, inode_t *inode);
struct glupy_context *glupy_context_take_fd(struct glupy_instance *primary, fd_t *fd);

/* Not attached. Put one into the slot of an inode in the table that has none of its instance yet: true if it is there
 * now. */
bool glupy_context_settle(inode_t *inode, struct glupy_context *context);

/* Not attached. The graph goes, and replicas drop their contexts one after another: none looks into a chain any more. Each
 * finds no context then, and can set none. */
void glupy_contexts_unchain(struct glupy_instance *primary);

/* For the types Inode and Fd. */
extern const struct glupy_context_keeper glupy_context_keeper;

/* Attached. Nothing refers to it any more. */
void glupy_context_free(struct glupy_context *context);

/* Attached. The instance ends: drop all values. */
void glupy_contexts_end(struct glupy_instance *instance);

/* Has an inode of this table a slot for this translator, which may be anybody's? GlusterFS computes its place from where the
 * two stand in their graph, and does not look whether it is the same one. */
bool glupy_context_has_slot(const xlator_t *this, const inode_table_t *table);

#endif
