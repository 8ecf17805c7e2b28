/* What is called where something went wrong. The compiler takes the way there for the unlikely one: it stays out of the way of
 * the other, which need not save registers for it. */
#ifndef GLUPY_COLD_H
#define GLUPY_COLD_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define GLUPY_COLD(FUNCTION) extern __typeof__(FUNCTION) FUNCTION __attribute__((cold))

GLUPY_COLD(PyErr_Format);
GLUPY_COLD(PyErr_NoMemory);
GLUPY_COLD(PyErr_SetNone);
GLUPY_COLD(PyErr_SetObject);
GLUPY_COLD(PyErr_SetString);
#if PY_VERSION_HEX >= 0x030c0000
GLUPY_COLD(PyErr_GetRaisedException);
GLUPY_COLD(PyErr_SetRaisedException);
#else
GLUPY_COLD(PyErr_Fetch);
#endif

#endif
