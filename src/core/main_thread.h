/* Python's main thread: ours, with a roomy stack, and never ending. Imports, init and fini of translators run there:
 * the thread that first imports `threading` becomes Python's main thread, and GlusterFS's own may end at any time. */
#ifndef GLUPY_MAIN_THREAD_H
#define GLUPY_MAIN_THREAD_H

#include <stdbool.h>

/* The body of the thread. */
void glupy_main_serve(void);

/* Call fn(arg) inside an interpreter on the main thread, with THIS set as it is here, and wait. Not attached. Calls are
 * made in the order given, those from the main thread itself (a hook that sends an event) at once. */
void glupy_main_call(unsigned interpreter, void (*fn)(void *arg), void *arg);

/* The same for callers that must come back: GlusterFS holds locks, or its only thread for a connection. They wait until
 * the call has been made, or for that long, or until what the main thread is at has taken that long. True: it has been
 * made, and arg is the caller's again. False: it will be, and drop(arg) follows it. */
bool glupy_main_call_within(unsigned seconds, unsigned interpreter, void (*fn)(void *arg), void *arg,
                            void (*drop)(void *arg));

/* The same without waiting. With or without the interpreter. What cannot be queued for want of memory is left out. */
void glupy_main_post(unsigned interpreter, void (*fn)(void *arg), void *arg);

#endif
