/* The floor: what the bare interpreter takes to drive the very functions that a translator consists of.
 *
 * Each round calls the function with as many arguments as glupy gives it. If that returns a coroutine, it is sent to
 * until it ends; what it awaits is a Wind of this file, an object made by a call of `self.child.FOP(...)`, which yields
 * itself once and has its result (None) the second time. That is as many calls, objects and switches between C and
 * Python as no driver of coroutines can do without; arguments and replies are ready-made and no GlusterFS is around.
 *
 * `attach`: also attach to the interpreter and detach from it as often as glupy has to: around the call, and around
 * each wind, which must not be done with the interpreter held. Without it the interpreter is held throughout. */
#include "driver.h"

struct wind {
    PyObject_HEAD
    bool done;
};

static PyTypeObject *wind_type;

static PyObject *
wind_await(PyObject *self)
{
    return Py_NewRef(self);
}

static PySendResult
wind_send(PyObject *object, PyObject *value, PyObject **result)
{
    struct wind *self = (struct wind *)object;

    (void)value;
    if (self->done) {
        *result = Py_NewRef(Py_None);
        return PYGEN_RETURN;
    }
    self->done = true;
    *result = Py_NewRef(object);
    return PYGEN_NEXT;
}

/* From Python 3.12 on the interpreter asks for the next value instead of sending. NULL without an exception is a
 * StopIteration with None. */
static PyObject *
wind_next(PyObject *self)
{
    PyObject *result;

    if (wind_send(self, Py_None, &result) == PYGEN_NEXT)
        return result;
    Py_DECREF(result);
    return NULL;
}

static void
wind_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_Free(object);
    Py_DECREF(type);
}

static PyType_Slot wind_slots[] = {
    {Py_tp_dealloc, wind_dealloc}, {Py_am_await, wind_await},    {Py_am_send, wind_send},
    {Py_tp_iter, PyObject_SelfIter}, {Py_tp_iternext, wind_next}, {0, NULL},
};

static PyType_Spec wind_spec = {
    .name = "driver.Wind",
    .basicsize = sizeof(struct wind),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = wind_slots,
};

static PyObject *
child_fop(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    struct wind *wind = PyObject_New(struct wind, wind_type);

    if (wind)
        wind->done = false;
    return (PyObject *)wind;
}

#define FOP(name) {name, _PyCFunction_CAST(child_fop), METH_FASTCALL | METH_KEYWORDS, NULL}

static PyMethodDef child_methods[] = {
    FOP("lookup"),   FOP("stat"),     FOP("open"),   FOP("create"), FOP("readv"),
    FOP("readdirp"), FOP("getxattr"), FOP("writev"), {NULL, NULL, 0, NULL},
};

static PyType_Slot child_slots[] = {
    {Py_tp_doc, "What a translator's self.child is, on the floor."},
    {Py_tp_methods, child_methods},
    {0, NULL},
};

static PyType_Spec child_spec = {
    .name = "driver.Child",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = child_slots,
};

PyObject *
bench_floor_child_type(void)
{
    if (!wind_type)
        wind_type = (PyTypeObject *)PyType_FromSpec(&wind_spec);
    return wind_type ? PyType_FromSpec(&child_spec) : NULL;
}

/* --- the loop --- */

#define MAX_ARGS 9

struct walker {
    struct bench_run *run;
    PyInterpreterState *interpreter;
    PyThreadState *tstate;
    PyObject *method;
    PyObject *args[1 + MAX_ARGS]; /* the first for PY_VECTORCALL_ARGUMENTS_OFFSET */
    Py_ssize_t nargs;
    bool attach;
    bool failed;
};

static void
wind_away(struct walker *self)
{
    if (self->attach) {
        PyEval_SaveThread();
        PyEval_RestoreThread(self->tstate);
    }
}

/* 0 when the coroutine has ended with a result. */
static int
drive(struct walker *self, PyObject *coroutine)
{
    PyObject *result = NULL;
    PySendResult how;

    while ((how = PyIter_Send(coroutine, Py_None, &result)) == PYGEN_NEXT) {
        wind_away(self);
        Py_DECREF(result);
    }
    Py_DECREF(coroutine);
    Py_XDECREF(result);
    return how == PYGEN_RETURN ? 0 : -1;
}

static int
call(struct walker *self)
{
    PyObject *result = PyObject_Vectorcall(self->method, self->args + 1,
                                           (size_t)self->nargs | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);

    if (!result)
        return -1;
    if (PyCoro_CheckExact(result))
        return drive(self, result);
    Py_DECREF(result);
    return 0;
}

static int
floor_setup(void *member)
{
    struct walker *self = member;

    self->tstate = PyThreadState_New(self->interpreter);
    return self->tstate ? 0 : ENOMEM;
}

static void
floor_body(void *member)
{
    struct walker *self = member;

    if (!self->attach)
        PyEval_RestoreThread(self->tstate);
    for (uint64_t i = 0; i < self->run->count && !self->failed; i++) {
        if (self->attach)
            PyEval_RestoreThread(self->tstate);
        if (call(self) != 0) {
            PyErr_Print();
            self->failed = true;
        }
        if (self->attach)
            PyEval_SaveThread();
    }
    if (!self->attach)
        PyEval_SaveThread();
}

static void
floor_teardown(void *member)
{
    struct walker *self = member;

    PyEval_RestoreThread(self->tstate);
    PyThreadState_Clear(self->tstate);
    PyThreadState_DeleteCurrent();
}

static int
walk(struct walker *model)
{
    struct walker *walkers = calloc(model->run->threads, sizeof(*walkers));
    struct bench_team team = {.run = model->run,
                              .setup = floor_setup,
                              .body = floor_body,
                              .teardown = floor_teardown,
                              .members = (char *)walkers,
                              .member_size = sizeof(*walkers)};
    int error;

    if (!walkers)
        return ENOMEM;
    for (unsigned i = 0; i < model->run->threads; i++)
        walkers[i] = *model;
    error = bench_team_run(&team);
    for (unsigned i = 0; i < model->run->threads; i++)
        model->failed = model->failed || walkers[i].failed;
    free(walkers);
    return error;
}

PyObject *
bench_floor(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"method", "args", "threads", "count", "attach", NULL};
    struct bench_run run = {.stack_size = 8u << 20};
    struct walker model = {.run = &run, .interpreter = PyInterpreterState_Get()};
    PyObject *tuple;
    int attach, error;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO!IKp", names, &model.method, &PyTuple_Type, &tuple, &run.threads,
                                     &run.count, &attach))
        return NULL;
    model.attach = attach;
    model.nargs = PyTuple_GET_SIZE(tuple);
    if (model.nargs > MAX_ARGS) {
        PyErr_Format(PyExc_ValueError, "at most %d arguments", MAX_ARGS);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < model.nargs; i++)
        model.args[1 + i] = PyTuple_GET_ITEM(tuple, i);
    Py_BEGIN_ALLOW_THREADS
    error = walk(&model);
    Py_END_ALLOW_THREADS
    if (error || model.failed) {
        PyErr_SetString(PyExc_RuntimeError, "the floor's function failed: see above");
        return NULL;
    }
    return Py_BuildValue("KK", run.wall, run.cpu);
}
