/* Python's main thread: ours, with a roomy stack, and never ending. Imports, init and fini of translators run there:
 * the thread that first imports `threading` becomes Python's main thread, and GlusterFS's own may end at any time. */
#ifndef GLUPY_MAIN_THREAD_H
#define GLUPY_MAIN_THREAD_H

/* The body of the thread. */
void glupy_main_serve(void);

/* Call fn(arg) inside an interpreter on the main thread, with THIS set as it is here, and wait. Not attached. */
void glupy_main_call(unsigned interpreter, void (*fn)(void *arg), void *arg);

#endif
