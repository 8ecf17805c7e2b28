/* Starting a thread of our own. Compiled into both shared objects: glupy.so starts Python's main thread before there is
 * a core to ask. */
#ifndef GLUPY_OWN_THREAD_H
#define GLUPY_OWN_THREAD_H

/* Start a detached thread: GlusterFS's name scheme and blocked signals, an 8 MiB stack. Signals that report a fault of
 * the thread itself are not blocked in it, whatever the caller blocks. 0, or an errno value. */
int glupy_start_thread(void *(*fn)(void *), void *arg, const char *name);

#endif
