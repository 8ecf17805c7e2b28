/* The interpreters of this process: Python's main one, and those that `option interpreters` asks for, each with a GIL of its
 * own (Python 3.12 and later).
 *
 * They are made when first asked for, are shared by all translators of the process, and stay until it ends. Each has its
 * own import of glupy._core, so its own struct glupy_state, and objects never go from one to another. A number stands for
 * an interpreter wherever C code has to say which one it means: 0 is the main one. */
#ifndef GLUPY_INTERPRETER_H
#define GLUPY_INTERPRETER_H

#include "python/state.h"

#define GLUPY_MAX_INTERPRETERS 32

/* In a state whose module was imported by an interpreter that is none of ours (a host program's). */
#define GLUPY_NO_INTERPRETER (~0u)

/* Attached, while the module is imported: the interpreter that the calling thread is in gets its state. */
void glupy_interpreter_register(struct glupy_state *state);

/* The state of an interpreter that is there. */
struct glupy_state *glupy_interpreter_state(unsigned number);

/* How many there are. */
unsigned glupy_interpreters_made(void);

/* Main thread, attached to the main interpreter, and so on return: see to it that there are at least that many. 0, or -1
 * with an exception whose text an administrator understands. */
int glupy_interpreters_need(unsigned count);

/* A new thread state of the calling thread in an interpreter; the thread need not be attached anywhere. Does not fail: Python
 * itself ends the process where it has no memory for one. */
PyThreadState *glupy_interpreter_new_thread_state(unsigned number);

#endif
