/* The gate in front of an interpreter: fops that compete for it queue here, not at its GIL.
 *
 * The GIL is made for threads that compute: who leaves it wakes whoever waits for it, each time, and takes it back before
 * that one is awake. Fops stay inside for a microsecond, so with several threads nearly every one of them would pay for a
 * system call and for a change of threads. At the gate a thread spins for about as long as a few stays last, on as many
 * processors as there are beside the holder's, and sleeps then; who leaves wakes one sleeper, and none while one is
 * already on its way. So one thread of ours at a time comes to the GIL, and finds it free.
 *
 * The gate is advice, never needed for what is right. A holder whose Python code computes for long, or blocks with the
 * GIL released, holds nobody up for longer than a millisecond: the others then go round the gate, and CPython switches
 * between them as it does between any threads. Who may block from the beginning (@offload, to_thread) does not take it. */
#ifndef GLUPY_GATE_H
#define GLUPY_GATE_H

#include <stdbool.h>

/* Before attaching to an interpreter for a short stay. True: glupy_gate_leave() after detaching. Not attached. */
bool glupy_gate_enter(unsigned interpreter);
void glupy_gate_leave(unsigned interpreter);

#endif
