/* The values of a dict_t by key, found at once.
 *
 * GlusterFS's own lookup walks a list of all keys: reading n of them one by one takes n * n steps, while the interpreter is
 * held, and how many there are a peer decides. An index is a dict of Python's that nobody else sees; it has a reference to
 * each value, so that what becomes of the dict_t is no matter of its safety, only of its being up to date. Of a key that is
 * in twice (dict_add()) it has the value that dict_get() finds, the first. No function here runs Python code: all that they
 * allocate, they allocate without a garbage collection. All attached. */
#ifndef GLUPY_TYPES_XDATA_INDEX_H
#define GLUPY_TYPES_XDATA_INDEX_H

#include "values/types/types.h"

/* Of all that is in there now. NULL with MemoryError. */
PyObject *glupy_xdata_index_new(dict_t *dict);

/* NULL does nothing. */
void glupy_xdata_index_free(PyObject *index);

/* The value of a key, which is bytes; borrowed. NULL: there is none. */
data_t *glupy_xdata_index_find(PyObject *index, PyObject *key);

/* As PyDict_Next(): one entry after the other, borrowed. */
bool glupy_xdata_index_next(PyObject *index, Py_ssize_t *position, PyObject **key, data_t **value);

/* A key has got this value; it has none any more. 0, or -1 with MemoryError, and the index is of no use any more. */
int glupy_xdata_index_set(PyObject *index, PyObject *key, data_t *value);
int glupy_xdata_index_remove(PyObject *index, PyObject *key);

#endif
