/* Failure: an errno to answer with, given where an exception would only be raised to be caught again. */
#include <errno.h>

#include "values/types/types.h"

struct failure { /* immutable */
    PyObject_HEAD
    int32_t op_errno;
    PyObject *xdata; /* an Xdata, or NULL */
};

bool
glupy_is_failure(struct glupy_state *state, PyObject *object)
{
    return Py_IS_TYPE(object, state->failure_type);
}

void
glupy_failure_take(PyObject *object, int32_t *op_errno, dict_t **xdata)
{
    struct failure *self = (struct failure *)object;

    *op_errno = self->op_errno;
    *xdata = NULL;
    if (self->xdata)
        glupy_kind_dict.take(self->xdata, xdata);
}

/* Takes the reference to an Xdata, or NULL. */
static PyObject *
make(struct glupy_state *state, int32_t op_errno, PyObject *xdata)
{
    struct failure *self = PyObject_New(struct failure, state->failure_type);

    if (!self) {
        Py_XDECREF(xdata);
        return NULL;
    }
    self->op_errno = op_errno;
    self->xdata = xdata;
    return (PyObject *)self;
}

/* One an errno, for all who have no xdata to send along. */
static PyObject *
prepared(struct glupy_state *state, int32_t op_errno)
{
    PyObject **place = &state->failures[op_errno];

    if (!*place)
        *place = make(state, op_errno, NULL);
    return Py_XNewRef(*place);
}

static int32_t
errno_of(PyObject *object)
{
    long number;

    if (!PyLong_Check(object)) {
        PyErr_Format(PyExc_TypeError, "fail(): expected an errno, such as errno.ENOENT, not %R", object);
        return -1;
    }
    number = PyLong_AsLong(object);
    if (number > 0 && number <= GLUPY_LARGEST_ERRNO)
        return (int32_t)number;
    PyErr_Clear();
    PyErr_Format(PyExc_ValueError, "fail(): expected an errno from 1 to %d, not %R", GLUPY_LARGEST_ERRNO, object);
    return -1;
}

/* fail(errno, xdata=None): -1 with TypeError where it was called in another way. */
static int
read_xdata(PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames, PyObject **xdata)
{
    Py_ssize_t named = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;

    *xdata = nargs + named == 2 ? args[1] : Py_None;
    if (nargs >= 1 && nargs + named <= 2 &&
        (!named || PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(kwnames, 0), "xdata") == 0))
        return 0;
    PyErr_SetString(PyExc_TypeError, "fail() takes an errno, and xdata where there is some");
    return -1;
}

PyObject *
glupy_fail_method(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    struct glupy_state *state = PyModule_GetState(module);
    PyObject *xdata;
    int32_t op_errno;

    if (read_xdata(args, nargs, kwnames, &xdata) != 0 || (op_errno = errno_of(args[0])) < 0)
        return NULL;
    if (xdata == Py_None)
        return prepared(state, op_errno);
    xdata = glupy_kind_dict.convert(state, xdata);
    return xdata ? make(state, op_errno, xdata) : NULL;
}

static void
failure_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    Py_XDECREF(((struct failure *)object)->xdata);
    PyObject_Free(object);
    Py_DECREF(type);
}

static PyObject *
failure_errno(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromLong(((struct failure *)self)->op_errno);
}

static PyObject *
failure_xdata(PyObject *self, void *closure)
{
    PyObject *xdata = ((struct failure *)self)->xdata;

    (void)closure;
    return Py_NewRef(xdata ? xdata : Py_None);
}

static PyObject *
failure_repr(PyObject *object)
{
    struct failure *self = (struct failure *)object;

    return PyUnicode_FromFormat(self->xdata ? "<failure, errno %d (%s), with xdata>" : "<failure, errno %d (%s)>",
                                (int)self->op_errno, strerror(self->op_errno));
}

static PyGetSetDef failure_getset[] = {
    {"errno", failure_errno, NULL, "The errno that the caller gets.", NULL},
    {"xdata", failure_xdata, NULL, "The Xdata that goes with it, or None.", NULL},
    {0},
};

static PyType_Slot failure_slots[] = {
    {Py_tp_doc, "What fail() gives: a fop method returns it, and the fop has failed with that errno."},
    {Py_tp_dealloc, failure_dealloc},
    {Py_tp_repr, failure_repr},
    {Py_tp_getset, failure_getset},
    {0, NULL},
};

static PyType_Spec failure_spec = {
    .name = "glupy._core.Failure",
    .basicsize = sizeof(struct failure),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = failure_slots,
};

int
glupy_failure_setup(struct glupy_state *state)
{
    state->failures = PyMem_Calloc(GLUPY_LARGEST_ERRNO + 1, sizeof(*state->failures));
    if (!state->failures) {
        PyErr_NoMemory();
        return -1;
    }
    return glupy_add_type(state, &failure_spec, &state->failure_type);
}
