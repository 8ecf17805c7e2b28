/* What GlusterFS tells a translator besides fops (struct xlator_cbks): inodes and fds that end, clients of a brick that
 * go. Authors hear of it by their methods forget, release, releasedir, client_disconnect and client_destroy.
 *
 * GlusterFS calls on any thread and any stack, synctasks included, and its callers hold locks: nothing is done there but
 * taking the context (context.h) out of its slot and pushing it on the instance's queue, under a mutex that nobody holds
 * while waiting for something else. One worker at a time empties the queue: it drops the values and calls the hooks, in
 * the order in which things happened, attached to the interpreter. */
#ifndef GLUPY_HOOKS_H
#define GLUPY_HOOKS_H

#include "instance/context.h"

extern struct xlator_cbks glupy_cbks;

/* The names of the author's methods. */
extern const char *const glupy_hook_names[GLUPY_HOOK_COUNT];

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
