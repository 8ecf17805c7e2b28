/* The author's stopping(): the last chance to mark what is kept somewhere as clean. It is called once, on the main thread, when
 * the graph goes (before its children hear of that) or when the process exits.
 *
 * GlusterFS's processes end by exit(), whether they are told to by a signal or by umount, and tell no translator but mount/fuse.
 * So exit() itself is what we hear of it by (atexit(3)). All threads still run then, and children still answer. */
#ifndef GLUPY_STOPPING_H
#define GLUPY_STOPPING_H

#include "instance/instance.h"

/* Call it, unless it has been called. Attached, main thread. */
void glupy_stop(struct glupy_instance *self);

/* Have it called for all when the process exits. */
void glupy_watch_for_exit(void);

/* The process ends: call it for all that there are, and wait for that, though not for long. Not attached. */
void glupy_stop_all(void);

#endif
