/* What GlusterFS tells a translator besides fops (struct xlator_cbks): inodes and fds that end, clients of a brick that
 * go. Authors hear of it by their methods forget, release, releasedir, client_disconnect and client_destroy.
 *
 * GlusterFS calls on any thread and any stack, synctasks included, and its callers hold locks: nothing is done there but
 * taking the context (context.h) out of its slot and pushing it on the instance's queue, under a mutex that nobody holds
 * while waiting for something else. One worker at a time empties the queue: it drops the values and calls the hooks, in
 * the order in which things happened, attached to the interpreter. */
#ifndef GLUPY_HOOKS_H
#define GLUPY_HOOKS_H

#include "context.h"

extern struct xlator_cbks glupy_cbks;

/* Attached. Ask the translator's class for its hooks and factories. 0, or -1 with an exception. */
int glupy_hooks_load(struct glupy_instance *instance);

/* Not attached. The graph goes: no reference to its inodes may be taken for hooks any more, and so none is called for
 * fds. Waits until the hooks of all that ended before have returned and what they gave up is released. False when that
 * takes too long. */
bool glupy_hooks_settle(struct glupy_instance *instance, unsigned seconds);

/* No hook is called any more: the author's fini() is about to be. */
void glupy_hooks_silence(struct glupy_instance *instance);

/* The same as settling when the instance ends: nothing gets into its queue afterwards, GlusterFS finds no
 * instance in the xlator, and no hook is called. */
bool glupy_hooks_end(struct glupy_instance *instance, unsigned seconds);

#endif
