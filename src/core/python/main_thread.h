/* Python's main thread: ours, with a roomy stack, and never ending. Imports, init and fini of translators run there:
 * the thread that first imports `threading` becomes Python's main thread, and GlusterFS's own may end at any time. */
#ifndef GLUPY_MAIN_THREAD_H
#define GLUPY_MAIN_THREAD_H

#include <stdbool.h>

#include "base/gluster.h"

/* The body of the thread. */
void glupy_main_serve(void);

/* All of these call fn(arg) inside an interpreter on the main thread, with THIS set as it is here. Not attached. Calls are made
 * in the order given, those from the main thread itself (a hook that sends an event) at once. `what` says in a word or two what
 * is called: it is told of a call that does not return, with the name of THIS. */

/* For callers that must come back: GlusterFS holds locks, or its only thread for a connection. They wait until the call has
 * been made, or for that long, or until what the main thread is at has taken that long. True: it has been made, and arg is the
 * caller's again. False: it will be, and drop(arg) follows it. */
bool glupy_main_call_within(unsigned seconds, unsigned interpreter, const char *what, void (*fn)(void *arg), void *arg,
                            void (*drop)(void *arg));

/* For a call that may take its time, but not wait for another one that never ends. */
enum glupy_turn {
    GLUPY_MADE,      /* arg is the caller's again */
    GLUPY_NO_TURN,   /* what the main thread is at had taken `patience` seconds: it is not made, arg is the caller's */
    GLUPY_ENDLESS    /* it had taken `limit` seconds: drop(arg) follows it when it returns */
};

enum glupy_turn glupy_main_call_in_turn(unsigned patience, unsigned limit, unsigned interpreter, const char *what,
                                        void (*fn)(void *arg), void *arg, void (*drop)(void *arg));

/* What the main thread is at. */
struct glupy_main_busy {
    char name[256];   /* of the translator */
    const char *what; /* NULL: nothing */
    double seconds;   /* for how long */
    unsigned interpreter;
    struct glupy_thread *thread;
};

/* For a message about it: when it returns, that is logged too. Any thread. */
struct glupy_main_busy glupy_main_is_at(void);

/* An xlator_t is about to be freed: calls that are still queued work for nobody. */
void glupy_main_forsake(xlator_t *gone);

/* Without waiting; with or without the interpreter. What cannot be queued for want of memory is left out. */
void glupy_main_post(unsigned interpreter, const char *what, void (*fn)(void *arg), void *arg);

#endif
