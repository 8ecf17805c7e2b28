/* Where Python code may run: decided here and nowhere else.
 *
 * GlusterFS calls translators on stacks of very different sizes, and CPython's recursion limit assumes a big one: on an
 * io-thread's 256 KiB a recursive __getattr__ is a segmentation fault. So:
 *
 *   inline    on a thread's own stack, where it has room;
 *   switched  on a roomy stack of our own that the thread switches to for the length of one step of Python;
 *   worker    on a synctask (its stack is on the heap, may be 16 KiB, and its thread can change at every yield) or on
 *             any stack that is not the thread's own: never, the call goes to a thread of ours. */
#ifndef GLUPY_PLACE_H
#define GLUPY_PLACE_H

#include "python/thread.h"

enum glupy_place { GLUPY_INLINE, GLUPY_SWITCHED, GLUPY_WORKER };

/* Where Python may run for a caller on this stack. `thread` is set unless the answer is GLUPY_WORKER. */
enum glupy_place glupy_place(struct glupy_thread **thread);

/* Whether fn is to be back soon, or may block: short stays take turns (gate.h). */
enum glupy_stay { GLUPY_SHORT, GLUPY_LONG };

/* Call fn(thread, arg) inside an interpreter, on this stack or switched as `place` says. */
void glupy_call_python(struct glupy_thread *thread, enum glupy_place place, unsigned interpreter, enum glupy_stay stay,
                       void (*fn)(struct glupy_thread *thread, void *arg), void *arg);

void glupy_place_free_stack(struct glupy_thread *thread);

#endif
