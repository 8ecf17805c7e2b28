/* A value or an exception, for whoever asks. See outcome.h. */
#include "request/outcome.h"

#include "base/compat.h"

void
glupy_outcome_set_value(struct glupy_outcome *self, PyObject *value)
{
    self->value = value;
}

PyObject *
glupy_awaited_exception(PyObject *exception)
{
    PyObject *other;

    if (!PyErr_GivenExceptionMatches(exception, PyExc_StopIteration))
        return exception;
    other = PyObject_CallFunction(PyExc_RuntimeError, "s", "StopIteration cannot be awaited");
    if (!other)
        other = PyErr_GetRaisedException();
    PyException_SetCause(other, exception);
    return other;
}

void
glupy_outcome_set_exception(struct glupy_outcome *self, PyObject *exception)
{
    self->exception = exception;
    self->traceback = PyException_GetTraceback(exception);
}

void
glupy_outcome_set(struct glupy_outcome *self, PyObject *value)
{
    if (value)
        glupy_outcome_set_value(self, value);
    else
        glupy_outcome_set_exception(self, glupy_awaited_exception(PyErr_GetRaisedException()));
}

/* Each raise adds the frames that it goes through to the exception's traceback, and keeps them: it begins anew. */
PyObject *
glupy_outcome_get(const struct glupy_outcome *self)
{
    if (self->value)
        return Py_NewRef(self->value);
    if (!self->exception) {
        PyErr_SetString(PyExc_ReferenceError, "what this has ended with was taken by the garbage collection");
        return NULL;
    }
    if (PyException_SetTraceback(self->exception, self->traceback ? self->traceback : Py_None) != 0)
        PyErr_Clear();
    PyErr_SetObject((PyObject *)Py_TYPE(self->exception), self->exception);
    return NULL;
}

int
glupy_outcome_traverse(struct glupy_outcome *self, visitproc visit, void *arg)
{
    Py_VISIT(self->value);
    Py_VISIT(self->exception);
    Py_VISIT(self->traceback);
    return 0;
}

void
glupy_outcome_clear(struct glupy_outcome *self)
{
    Py_CLEAR(self->value);
    Py_CLEAR(self->exception);
    Py_CLEAR(self->traceback);
}
