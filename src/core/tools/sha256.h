/* _sha256(): a checksum by what GlusterFS has loaded anyway. */
#ifndef GLUPY_SHA256_H
#define GLUPY_SHA256_H

#include <Python.h>

/* The module's function: see its docstring. Attached. */
PyObject *glupy_sha256_method(PyObject *module, PyObject *data);

#endif
