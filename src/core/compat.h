/* Differences between the supported CPython versions, each behind a name of the newest one's. */
#ifndef GLUPY_COMPAT_H
#define GLUPY_COMPAT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>

#if PY_VERSION_HEX < 0x030c0000
/* The raised exception, taken out of the thread state and normalised: a new reference, or NULL when there is none. */
static inline PyObject *
PyErr_GetRaisedException(void)
{
    PyObject *type, *value, *traceback;

    PyErr_Fetch(&type, &value, &traceback);
    if (!type)
        return NULL;
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback)
        PyException_SetTraceback(value, traceback);
    Py_DECREF(type);
    Py_XDECREF(traceback);
    return value;
}

/* Raise an exception object; steals it. */
static inline void
PyErr_SetRaisedException(PyObject *exception)
{
    PyErr_Restore(Py_NewRef(Py_TYPE(exception)), exception, PyException_GetTraceback(exception));
}
#endif

#if PY_VERSION_HEX < 0x030d0000
/* Add a value to a module; steals it, also when it is NULL (an exception being set) or on failure. */
static inline int
PyModule_Add(PyObject *module, const char *name, PyObject *value)
{
    int failed = PyModule_AddObjectRef(module, name, value);

    Py_XDECREF(value);
    return failed;
}

/* An attribute that may be missing: 1 with a new reference, 0 with NULL and no exception (and none was made up to be
 * thrown away, which for OSError means a text with a translated strerror), or -1. */
static inline int
PyObject_GetOptionalAttr(PyObject *object, PyObject *name, PyObject **value)
{
    return _PyObject_LookupAttr(object, name, value);
}
#endif

/* Is the caller the only one who refers to this object? With free threading that cannot be known this way. */
static inline bool
glupy_sole_reference(PyObject *object)
{
#ifdef Py_GIL_DISABLED
    (void)object;
    return false;
#else
    return Py_REFCNT(object) == 1;
#endif
}

#endif
