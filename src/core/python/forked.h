/* Processes that Python code starts from here.
 *
 * GlusterFS's threads block nearly all signals, and glusterfs and glusterfsd wait for some on a thread of their own: what is
 * started from such a thread would block them as well, and nobody could end it. And what os.fork() makes is a copy of this
 * process with one thread: whatever another thread had locked stays locked there, so it must not go into GlusterFS any more. */
#ifndef GLUPY_FORKED_H
#define GLUPY_FORKED_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

/* This process is a child of os.fork(). */
extern bool glupy_in_child;

/* RuntimeError that says what a child of os.fork() cannot do, and what would do. Attached. */
void glupy_child_refuse(void);

/* An entry in the log of the process that this one was forked from, without GlusterFS's help. `level` is its letter. */
void glupy_child_say(const char *name, char level, const char *file, int line, const char *function, const char *text);

/* A child of os.fork() has returned to where its parent goes on: it ends, and the log says how it should have. */
_Noreturn void glupy_child_came_back(void);

/* glupy._core._with_mask(), glupy._core._forked() */
PyObject *glupy_with_mask_method(PyObject *module, PyObject *args);
PyObject *glupy_forked_method(PyObject *module, PyObject *args);

#endif
