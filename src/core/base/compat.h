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

/* Have an object end when its last reference is given up, whatever the thread. Returns it; NULL gives NULL. Attached.
 *
 * In a free-threaded build an object belongs to the thread that made it. When others give up the last of it, that thread is
 * asked to look for itself the next time that it runs Python. GlusterFS's threads do when there is a fop for them, and until
 * then the object would keep its inode, file or memory. So what holds such references is nobody's from the start, as it is
 * for CPython too once the owner is done with it: all threads count in the same place. */
static inline PyObject *
glupy_disown(PyObject *object)
{
#ifdef Py_GIL_DISABLED
    if (object) {
        Py_ssize_t count = Py_REFCNT(object);

        object->ob_tid = 0; /* which tells Py_SET_REFCNT() to use the count of all threads */
        Py_SET_REFCNT(object, count);
    }
#endif
    return object;
}

/* Is the caller the only one who refers to this object? Attached, and so with the GIL held (module.c). A free-threaded
 * build may still count what another thread has given up, never less than there is. */
static inline bool
glupy_sole_reference(PyObject *object)
{
    return Py_REFCNT(object) == 1;
}

#endif
