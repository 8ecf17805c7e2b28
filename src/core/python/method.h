/* Calling an author's method. */
#ifndef GLUPY_METHOD_H
#define GLUPY_METHOD_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* As PyObject_Vectorcall() with `nargs` arguments behind args[0], which is ours to write to. A bound method's own call would do
 * no more than put its object there and call on. Attached. */
static inline PyObject *
glupy_call_method(PyObject *method, PyObject **args, size_t nargs)
{
    if (!PyMethod_Check(method))
        return PyObject_Vectorcall(method, &args[1], nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    args[0] = PyMethod_GET_SELF(method);
    return PyObject_Vectorcall(PyMethod_GET_FUNCTION(method), args, nargs + 1, NULL);
}

#endif
