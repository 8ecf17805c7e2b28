/* What several kinds share: text between GlusterFS, which has bytes, and Python; values that must be there. */
#include "values/types/types.h"

int
glupy_fit_not_none(PyObject *object)
{
    if (object != Py_None)
        return 0;
    PyErr_SetString(PyExc_TypeError, "None will not do");
    return -1;
}

PyObject *
glupy_text_bytes(PyObject *value)
{
    PyObject *bytes;

    if (PyUnicode_Check(value))
        bytes = PyUnicode_AsEncodedString(value, "utf-8", "surrogateescape");
    else if (PyBytes_Check(value))
        bytes = Py_NewRef(value);
    else
        return PyErr_Format(PyExc_TypeError, "expected str or bytes, not %s", Py_TYPE(value)->tp_name);
    if (bytes && strlen(PyBytes_AS_STRING(bytes)) != (size_t)PyBytes_GET_SIZE(bytes)) {
        Py_DECREF(bytes);
        return PyErr_Format(PyExc_ValueError, "a NUL byte inside %R", value);
    }
    return bytes;
}

#define SHOWN 500 /* characters of an author's value in a message */

PyObject *
glupy_shown(PyObject *value)
{
    PyObject *shown = PyObject_Repr(value), *cut;

    if (!shown) {
        PyErr_Clear();
        shown = PyUnicode_FromFormat("a %s that has no repr()", Py_TYPE(value)->tp_name);
    }
    cut = shown ? PyUnicode_Substring(shown, 0, SHOWN) : NULL;
    Py_XDECREF(shown);
    PyErr_Clear();
    return cut;
}
