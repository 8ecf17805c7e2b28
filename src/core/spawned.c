/* Task: the handle of a coroutine that runs in the background. It leads to the task's request as long as that runs, and
 * does not keep it: a task goes on when its handle is dropped. */
#include "spawned.h"

#include "background.h"
#include "compat.h"
#include "log.h"

struct spawned {
    PyObject_HEAD
    struct glupy_request *request; /* NULL: it has ended */
};

/* Attached; the request's reference to the handle ends. */
static void
spawned_done(struct glupy_request *request)
{
    struct spawned *self = request->done_arg;

    self->request = NULL;
    Py_DECREF(self);
    if (request->exception && !request->cancelled) {
        PyErr_SetRaisedException(request->exception);
        request->exception = NULL;
        glupy_log_exception(request);
    }
}

PyObject *
glupy_task_spawn(struct glupy_instance *instance, PyObject *coroutine)
{
    struct spawned *self = PyObject_New(struct spawned, instance->state->spawned_type);

    if (!self)
        return NULL;
    self->request = glupy_background_new(instance, coroutine, spawned_done, self);
    if (!self->request) {
        Py_DECREF(self);
        return NULL;
    }
    Py_INCREF(self);
    glupy_background_begin(self->request);
    return (PyObject *)self;
}

static PyObject *
cancel(PyObject *object, PyObject *unused)
{
    struct spawned *self = (struct spawned *)object;

    (void)unused;
    return PyBool_FromLong(self->request && glupy_background_cancel_one(self->request));
}

static PyObject *
done(PyObject *object, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(!((struct spawned *)object)->request);
}

static PyObject *
spawned_repr(PyObject *object)
{
    return PyUnicode_FromFormat("<Task (%s)>", ((struct spawned *)object)->request ? "running" : "done");
}

static void
spawned_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_Free(object);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"cancel", cancel, METH_NOARGS,
     "cancel($self, /)\n--\n\nClose the coroutine where it waits: its finally clauses run and may await nothing. False when it has\n"
     "ended, or been cancelled, before."},
    {"done", done, METH_NOARGS, "done($self, /)\n--\n\nWhether it has ended."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "A coroutine that runs in the background; from Translator.spawn() and every()."},
    {Py_tp_dealloc, spawned_dealloc},
    {Py_tp_repr, spawned_repr},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "glupy._core.Task",
    .basicsize = sizeof(struct spawned),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int
glupy_spawned_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &spec, &state->spawned_type);
}
