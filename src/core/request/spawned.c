/* Task: the handle of a coroutine that runs in the background. It leads to the task's request as long as that runs, and
 * does not keep it: a task goes on when its handle is dropped. Once it has ended, the handle has what came of it. */
#include "request/spawned.h"

#include "base/compat.h"
#include "request/background.h"
#include "request/failure.h"
#include "request/promise.h"

struct spawned {
    PyObject_HEAD
    struct glupy_request *request; /* NULL: it has ended */
    bool cancelled;                /* it was closed */
    PyObject *name;                /* str: what it runs; or NULL */
    struct glupy_promise promise;
};

/* In the log whoever awaits it: who does may come later, or never. */
static void
log_failure(struct spawned *self, struct glupy_request *request)
{
    PyErr_SetRaisedException(Py_NewRef(request->progress.exception));
    glupy_failure_in_background(request->instance, "task", self->name);
}

/* Attached; the request's reference to the handle ends. */
static void
spawned_done(struct glupy_request *request)
{
    struct spawned *self = request->task.done_arg;
    PyObject *outcome = request->progress.outcome, *exception = request->progress.exception;

    if (exception && !request->task.closed)
        log_failure(self, request);
    request->progress.outcome = request->progress.exception = NULL;
    self->cancelled = request->task.closed;
    self->request = NULL;
    if (exception)
        glupy_promise_fail(&self->promise, glupy_awaited_exception(exception));
    else
        glupy_promise_settle(&self->promise, outcome);
    Py_DECREF(self);
}

/* What is driven is named as its author named it. */
static PyObject *
name_of(PyObject *driven)
{
    PyObject *name = PyObject_GetAttrString(PyCoro_CheckExact(driven) ? driven : (PyObject *)Py_TYPE(driven), "__qualname__");

    if (!name || !PyUnicode_Check(name) || !PyUnicode_AsUTF8(name))
        Py_CLEAR(name);
    PyErr_Clear();
    return name;
}

static struct spawned *
spawned_new(struct glupy_state *state, PyObject *driven)
{
    struct spawned *self = (struct spawned *)state->spawned_type->tp_alloc(state->spawned_type, 0);

    if (!self)
        return NULL;
    self->name = name_of(driven);
    glupy_promise_init(&self->promise, "Task", self->name ? PyUnicode_AsUTF8(self->name) : NULL);
    return self;
}

static PyObject *
spawn(struct glupy_instance *instance, struct glupy_version *version, PyObject *driven, bool endless)
{
    struct spawned *self = spawned_new(instance->state, driven);

    if (!self)
        return NULL;
    self->request = glupy_background_new(instance, version, driven, spawned_done, self);
    if (!self->request) {
        Py_DECREF(self);
        return NULL;
    }
    self->promise.settler = self->request;
    self->request->task.endless = endless;
    self->request->task.owner = true; /* features/locks refuses whom it could not tell from others */
    Py_INCREF(self);
    glupy_background_begin(self->request);
    return (PyObject *)self;
}

/* Whose it is to be: as given, nobody's (None), or the current one's where nothing is given. -1 with an exception. */
static int
find_version(struct glupy_instance *self, PyObject *given, struct glupy_version **version)
{
    *version = given ? NULL : glupy_background_version(self);
    if (!given || given == Py_None)
        return 0;
    if (Py_TYPE(given) != self->state->version_type || ((struct glupy_version *)given)->instance != self) {
        PyErr_Format(PyExc_TypeError, "expected a Version of this translator's, not %R", given);
        return -1;
    }
    *version = (struct glupy_version *)given;
    if ((*version)->ended) {
        PyErr_SetString(PyExc_RuntimeError, "another version of this translator's file is loaded, and this one has ended: no "
                                            "new tasks");
        return -1;
    }
    return 0;
}

PyObject *
glupy_instance_spawn(PyObject *object, PyObject *args)
{
    struct glupy_instance *self = (struct glupy_instance *)object;
    PyObject *coroutine, *given = NULL, *driven, *task = NULL;
    struct glupy_version *version;
    int endless = 0;

    if (!PyArg_ParseTuple(args, "O|Op:spawn", &coroutine, &given, &endless))
        return NULL;
    driven = glupy_background_drivable(self, coroutine);
    if (driven && find_version(self, given, &version) == 0)
        task = spawn(self, version, driven, endless);
    Py_XDECREF(driven);
    return task;
}

static PyObject *
spawned_await(PyObject *self)
{
    return glupy_promise_await(glupy_state_of(self), self, &((struct spawned *)self)->promise);
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
    struct spawned *self = (struct spawned *)object;
    const char *how = self->request                     ? "running"
                      : self->cancelled                 ? "cancelled"
                      : self->promise.outcome.exception ? "failed"
                                                        : "done";

    return PyUnicode_FromFormat("<Task %V (%s)>", self->name, "", how);
}

static int
spawned_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    return glupy_outcome_traverse(&((struct spawned *)object)->promise.outcome, visit, arg);
}

static int
spawned_clear(PyObject *object)
{
    glupy_outcome_clear(&((struct spawned *)object)->promise.outcome);
    return 0;
}

static void
spawned_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    Py_TRASHCAN_BEGIN(object, spawned_dealloc)
    spawned_clear(object);
    Py_XDECREF(((struct spawned *)object)->name);
    type->tp_free(object);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

static PyMethodDef methods[] = {
    {"cancel", cancel, METH_NOARGS,
     "cancel($self, /)\n--\n\nGive up what the coroutine waits for and close it there, those inside its gathers first: finally clauses run\n"
     "and may await nothing. It has ended (done()) when what it has wound is back. False when it has ended, or been\n"
     "cancelled, before."},
    {"done", done, METH_NOARGS, "done($self, /)\n--\n\nWhether it has ended."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "A coroutine that runs in the background; from Translator.spawn() and every(). Awaited, by any number of fops and\n"
                "tasks, it gives the coroutine's value or raises its exception; RuntimeError where it was cancelled."},
    {Py_tp_dealloc, spawned_dealloc},
    {Py_tp_traverse, spawned_traverse},
    {Py_tp_clear, spawned_clear},
    {Py_tp_repr, spawned_repr},
    {Py_tp_methods, methods},
    {Py_am_await, spawned_await},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "glupy._core.Task",
    .basicsize = sizeof(struct spawned),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

int
glupy_spawned_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &spec, &state->spawned_type);
}
