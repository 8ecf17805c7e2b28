/* A C stack that overflows: the log says so before the process dies of it.
 *
 * Nothing of ours recurses without a bound, and CPython counts what it recurses itself. But a library in C may, and an
 * author may raise the limit beyond what any stack has room for. The kernel then raises SIGSEGV, for which nothing is left
 * of the stack: GlusterFS's own handler, which writes the backtrace, would never be reached. */
#ifndef GLUPY_OVERFLOW_H
#define GLUPY_OVERFLOW_H

struct glupy_thread;

/* Handle SIGSEGV from now on, on behalf of whoever did before. Later calls do nothing. */
void glupy_overflow_watch(void);

/* The calling thread gets a stack to handle signals on, unless it has one; gives it back. */
void glupy_overflow_prepare(struct glupy_thread *thread);
void glupy_overflow_forget(struct glupy_thread *thread);

#endif
