/* Future, and what is made of it: sleep() and to_thread(). All three are one type that differs in how it begins: a
 * Future waits for set_result(), sleep() for the clock, to_thread() for a worker that calls a function. */
#include "future.h"

#include <math.h>

#include "clock.h"
#include "compat.h"
#include "request.h"

struct glupy_future {
    struct glupy_awaitable base;
    PyObject *value;
    PyObject *exception;
    uint64_t nanoseconds; /* sleep */
    uint64_t until;
    PyObject *call[3];    /* to_thread: function, args, kwargs */
    struct glupy_job job;
};

static PyObject *
future_result(struct glupy_awaitable *base)
{
    struct glupy_future *self = (struct glupy_future *)base;

    if (self->exception) {
        PyErr_SetObject((PyObject *)Py_TYPE(self->exception), self->exception);
        return NULL;
    }
    return Py_NewRef(self->value ? self->value : Py_None);
}

/* Future */

static int
future_arm(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct glupy_future *self = (struct glupy_future *)base;

    (void)request;
    return self->value || self->exception;
}

static const struct glupy_awaitable_ops future_ops = {
    .name = "Future",
    .arm = future_arm,
    .result = future_result,
};

/* sleep() */

static void
wake(void *arg)
{
    glupy_complete_elsewhere(arg);
}

static int
sleep_arm(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct glupy_future *self = (struct glupy_future *)base;

    (void)request;
    if (!self->nanoseconds) { /* not at once: others of the same request have their turn first */
        glupy_complete_elsewhere(base);
        return 0;
    }
    self->until = glupy_now() + self->nanoseconds;
    if (glupy_clock_call_at(self->until, wake, base))
        return 0;
    PyErr_NoMemory();
    return -1;
}

static void
sleep_describe(struct glupy_awaitable *base, struct glupy_line *line)
{
    struct glupy_future *self = (struct glupy_future *)base;
    uint64_t now = glupy_now();

    glupy_say(line, "sleep of %.3f s, %.3f s to go", (double)self->nanoseconds / 1e9,
              self->until > now ? (double)(self->until - now) / 1e9 : 0.0);
}

static const struct glupy_awaitable_ops sleep_ops = {
    .name = "sleep",
    .arm = sleep_arm,
    .result = future_result,
    .describe = sleep_describe,
};

/* StopIteration cannot go through an await: it would end the coroutine as if it had returned. Steals and gives a
 * reference. */
static PyObject *
no_stop(PyObject *exception)
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

/* to_thread() */

static void
call_function(struct glupy_thread *thread, void *arg)
{
    struct glupy_future *self = arg;

    (void)thread;
    self->value = PyObject_Call(self->call[0], self->call[1], self->call[2]);
    if (!self->value)
        self->exception = no_stop(PyErr_GetRaisedException());
    for (unsigned i = 0; i < 3; i++)
        Py_CLEAR(self->call[i]);
}

static void
run_function(struct glupy_job *job)
{
    struct glupy_future *self = (void *)((char *)job - offsetof(struct glupy_future, job));
    xlator_t *old_this = THIS;
    struct glupy_thread *thread;
    enum glupy_place place = glupy_place(&thread);

    if (place == GLUPY_WORKER)
        return; /* Python is being finalised by its host */
    THIS = self->base.request->instance->this;
    glupy_call_python(thread, place, self->base.request->interpreter, GLUPY_LONG, call_function, self);
    glupy_complete(&self->base);
    THIS = old_this;
}

static int
thread_arm(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct glupy_future *self = (struct glupy_future *)base;

    (void)request;
    self->job.run = run_function;
    glupy_worker_submit_blocking(&self->job);
    return 0;
}

static const struct glupy_awaitable_ops thread_ops = {
    .name = "to_thread",
    .arm = thread_arm,
    .result = future_result,
};

static struct glupy_future *
future_new(PyTypeObject *type, const struct glupy_awaitable_ops *ops)
{
    struct glupy_future *self = (struct glupy_future *)type->tp_alloc(type, 0);

    if (self)
        glupy_awaitable_init(&self->base, ops);
    return self;
}

PyObject *
glupy_sleep_method(PyObject *module, PyObject *seconds)
{
    struct glupy_state *state = PyModule_GetState(module);
    double value = PyFloat_AsDouble(seconds);
    struct glupy_future *self;

    if (value == -1.0 && PyErr_Occurred())
        return NULL;
    if (!(value >= 0 && value <= 1e9))
        return PyErr_Format(PyExc_ValueError, "sleep(): expected 0 to 1e9 seconds, not %R", seconds);
    self = future_new(state->future_type, &sleep_ops);
    if (self)
        self->nanoseconds = (uint64_t)(value * 1e9);
    return (PyObject *)self;
}

PyObject *
glupy_to_thread_method(PyObject *module, PyObject *args, PyObject *kwargs)
{
    struct glupy_state *state = PyModule_GetState(module);
    struct glupy_future *self;

    if (PyTuple_GET_SIZE(args) < 1 || !PyCallable_Check(PyTuple_GET_ITEM(args, 0))) {
        PyErr_SetString(PyExc_TypeError, "to_thread(): expected a function, then its arguments");
        return NULL;
    }
    self = future_new(state->future_type, &thread_ops);
    if (!self)
        return NULL;
    self->call[0] = Py_NewRef(PyTuple_GET_ITEM(args, 0));
    self->call[1] = PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args));
    self->call[2] = Py_XNewRef(kwargs);
    if (!self->call[1])
        Py_CLEAR(self);
    return (PyObject *)self;
}

static PyObject *
future_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {NULL};

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, ":Future", names))
        return NULL;
    return (PyObject *)future_new(type, &future_ops);
}

/* Set once; wake who waits. */
static PyObject *
settle(struct glupy_future *self, PyObject **slot, PyObject *value)
{
    if (self->base.ops != &future_ops || self->value || self->exception) {
        PyErr_SetString(PyExc_RuntimeError, "this Future has its result already");
        return NULL;
    }
    *slot = Py_NewRef(value);
    if (self->base.stage == GLUPY_ARMED)
        glupy_complete_elsewhere(&self->base);
    Py_RETURN_NONE;
}

static PyObject *
future_set_result(PyObject *self, PyObject *value)
{
    return settle((struct glupy_future *)self, &((struct glupy_future *)self)->value, value);
}

static PyObject *
future_set_exception(PyObject *self, PyObject *value)
{
    PyObject *result;

    if (!PyExceptionInstance_Check(value))
        return PyErr_Format(PyExc_TypeError, "set_exception(): expected an exception, not %R", value);
    value = no_stop(Py_NewRef(value));
    result = settle((struct glupy_future *)self, &((struct glupy_future *)self)->exception, value);
    Py_DECREF(value);
    return result;
}

static PyObject *
future_done(PyObject *object, PyObject *unused)
{
    struct glupy_future *self = (struct glupy_future *)object;

    (void)unused;
    return PyBool_FromLong(self->value || self->exception);
}

static int
future_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct glupy_future *self = (struct glupy_future *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->value);
    Py_VISIT(self->exception);
    for (unsigned i = 0; i < 3; i++)
        Py_VISIT(self->call[i]);
    return 0;
}

static int
future_clear(PyObject *object)
{
    struct glupy_future *self = (struct glupy_future *)object;

    Py_CLEAR(self->value);
    Py_CLEAR(self->exception);
    for (unsigned i = 0; i < 3; i++)
        Py_CLEAR(self->call[i]);
    return 0;
}

static void
future_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    future_clear(object);
    Py_XDECREF(((struct glupy_future *)object)->base.waiter);
    type->tp_free(object);
    Py_DECREF(type);
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
    {Py_tp_doc, "Future()\n--\n\nA result that is still to come. A fop awaits it (one at a time); any thread settles it."},
    {Py_tp_new, future_tp_new},
    {Py_tp_dealloc, future_dealloc},
    {Py_tp_traverse, future_traverse},
    {Py_tp_clear, future_clear},
    {Py_tp_methods, future_methods},
    GLUPY_AWAITABLE_SLOTS,
    {0, NULL},
};

static PyType_Spec future_spec = {
    .name = "glupy._core.Future",
    .basicsize = sizeof(struct glupy_future),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = future_slots,
};

int
glupy_future_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &future_spec, &state->future_type);
}
