/* Calls into an interpreter on a thread of their own, for what must be done whatever Python's other threads are at: where the
 * main thread does not come back from an author's code, and all workers may be waiting for something. Nothing of an author's
 * is called there by name. */
#ifndef GLUPY_ASIDE_H
#define GLUPY_ASIDE_H

#include <stdbool.h>

/* Call fn(arg) inside an interpreter, working for nobody (THIS), and wait for so long at most: another thread may keep the
 * interpreter to itself. True: it has been made, and arg is the caller's again. False: it will be, if ever, and drop(arg)
 * follows it. Not attached. */
bool glupy_aside(unsigned seconds, unsigned interpreter, void (*fn)(void *arg), void *arg, void (*drop)(void *arg));

#endif
