/* Time that stands still until it is moved, for the process of a test (glupy.testing): sleeps are set here and not by the clock,
 * and what keeps the real time, statistics and the watch over long steps say, does not notice. Functions of glupy._core. */
#ifndef GLUPY_HELD_CLOCK_H
#define GLUPY_HELD_CLOCK_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* From now on time stands still. Holders are counted. */
PyObject *glupy_held_clock_hold_method(PyObject *module, PyObject *unused);

/* The last holder lets go: sleeps that begin now go by the clock again. Those that were set meanwhile wait for a move, or are
 * given up with their graph. */
PyObject *glupy_held_clock_release_method(PyObject *module, PyObject *unused);

/* Nanoseconds, of a clock that begins anywhere. */
PyObject *glupy_held_clock_now_method(PyObject *module, PyObject *unused);

/* When the sleeps that wait are over, each in nanoseconds: a list, the first one first. */
PyObject *glupy_held_clock_due_method(PyObject *module, PyObject *unused);

/* Move to the next end of a sleep, if that is not after a time given, else to that time, and end those that are over. Whether
 * any were: their coroutines are at work by then, or queued. */
PyObject *glupy_held_clock_move_method(PyObject *module, PyObject *until);

#endif
