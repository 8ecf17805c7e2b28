/* Future: a promise that the author's code settles. */
#include "request/future.h"

#include "request/promise.h"

struct future {
    PyObject_HEAD
    struct glupy_promise promise;
};

static PyObject *
future_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {NULL};
    struct future *self;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, ":Future", names))
        return NULL;
    self = (struct future *)type->tp_alloc(type, 0);
    if (self)
        glupy_promise_init(&self->promise, "Future", NULL);
    return (PyObject *)self;
}

static PyObject *
future_await(PyObject *self)
{
    return glupy_promise_await(glupy_state_of(self), self, &((struct future *)self)->promise);
}

/* Once. */
static bool
may_settle(struct future *self)
{
    if (!glupy_outcome_known(&self->promise.outcome))
        return true;
    PyErr_SetString(PyExc_RuntimeError, "this Future has its result already");
    return false;
}

static PyObject *
future_set_result(PyObject *object, PyObject *value)
{
    struct future *self = (struct future *)object;

    if (!may_settle(self))
        return NULL;
    glupy_promise_settle(&self->promise, Py_NewRef(value));
    Py_RETURN_NONE;
}

static PyObject *
future_set_exception(PyObject *object, PyObject *value)
{
    struct future *self = (struct future *)object;

    if (!PyExceptionInstance_Check(value))
        return PyErr_Format(PyExc_TypeError, "set_exception(): expected an exception, not %R", value);
    value = glupy_awaited_exception(Py_NewRef(value));
    if (!may_settle(self)) {
        Py_DECREF(value);
        return NULL;
    }
    glupy_promise_fail(&self->promise, value);
    Py_RETURN_NONE;
}

static PyObject *
future_done(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(glupy_outcome_known(&((struct future *)self)->promise.outcome));
}

static int
future_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    return glupy_outcome_traverse(&((struct future *)object)->promise.outcome, visit, arg);
}

static int
future_clear(PyObject *object)
{
    glupy_outcome_clear(&((struct future *)object)->promise.outcome);
    return 0;
}

static void
future_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    Py_TRASHCAN_BEGIN(object, future_dealloc)
    future_clear(object);
    type->tp_free(object);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

static PyMethodDef future_methods[] = {
    {"set_result", future_set_result, METH_O,
     "set_result($self, value, /)\n--\n\nGive the value to whoever awaits; any thread. RuntimeError the second time."},
    {"set_exception", future_set_exception, METH_O,
     "set_exception($self, exception, /)\n--\n\nRaise the exception in whoever awaits; any thread. RuntimeError the "
     "second time."},
    {"done", future_done, METH_NOARGS, "done($self, /)\n--\n\nHas it a value or an exception?"},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot future_slots[] = {
    {Py_tp_doc, "Future()\n--\n\nA result that is still to come. Any number of fops and tasks await it; any thread settles it."},
    {Py_tp_new, future_tp_new},
    {Py_tp_dealloc, future_dealloc},
    {Py_tp_traverse, future_traverse},
    {Py_tp_clear, future_clear},
    {Py_tp_methods, future_methods},
    {Py_am_await, future_await},
    {0, NULL},
};

static PyType_Spec future_spec = {
    .name = "glupy._core.Future",
    .basicsize = sizeof(struct future),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = future_slots,
};

int
glupy_future_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &future_spec, &state->future_type);
}
