/* One translator served by several interpreters (option interpreters): a struct glupy_instance for each.
 *
 * xlator_t::private is the primary, which stands in Python's main interpreter and has the table of fops. It knows all
 * replicas, itself first; each has imported the module in its own interpreter and has its own Translator object, requests,
 * contexts and counters, all guarded by that interpreter's lock. Whatever GlusterFS tells is told to all; a fop goes to the
 * one that its inode says. Without the option the primary is the only one. */
#ifndef GLUPY_REPLICAS_H
#define GLUPY_REPLICAS_H

#include "instance/instance.h"

/* for (unsigned i = 0; …): the replicas of a primary. */
#define glupy_for_each_replica(replica, primary)                                                                       \
    for (unsigned i_ = 0; i_ < (primary)->replicas.count && ((replica) = (primary)->replicas.list[i_]); i_++)

/* Attached, main thread: an instance is being loaded and shall be served by so many interpreters, which are made if need
 * be. `origin` are the bytes that replicas find what they load by. 0, or -1 with an exception. */
int glupy_replicas_want(struct glupy_instance *primary, unsigned count, const char *origin, size_t size);

/* Not attached. Whose fop it is, by the gfid of the first loc or fd. */
struct glupy_instance *glupy_replica_by_place(struct glupy_instance *primary, const struct glupy_fop *fop,
                                              const void *passed);

static inline struct glupy_instance *
glupy_replica_for(struct glupy_instance *primary, const struct glupy_fop *fop, const void *passed)
{
    return primary->replicas.count == 1 ? primary : glupy_replica_by_place(primary, fop, passed);
}

/* Does this replica have the methods that the primary has? The primary's table of fops leads to all. Any thread: they do
 * not change. The name of the first fop that differs, or NULL. */
const char *glupy_replica_differs(const struct glupy_instance *replica, const struct glupy_instance *primary);

#endif
