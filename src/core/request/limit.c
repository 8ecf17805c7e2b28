/* timeout(). See limit.h. */
#include "request/limit.h"

#include "base/compat.h"
#include "request/sleep.h"
#include "request/withdraw.h"

struct glupy_limit {
    struct glupy_awaitable base; /* what its alarm tells; and, done, what `async with` awaits */
    double seconds;
    bool none;                     /* there is no limit */
    bool expired;                  /* the time is over */
    bool told;                     /* and the coroutine has heard of it */
    bool limited;                  /* so was the coroutine around it */
    PyObject *raised;              /* what it will be told when it goes on, or NULL */
    struct glupy_awaitable *alarm; /* a reference, or NULL */
    struct glupy_task *task;       /* whose coroutine it is; NULL: the request's own */
    struct glupy_request *request; /* NULL: nobody is in it */
    struct glupy_limit *outer;     /* a reference, or NULL */
};

struct glupy_limit **
glupy_limits_of(struct glupy_request *request, struct glupy_task *task)
{
    return task ? &task->limits : &request->progress.limits;
}

static bool *
limited_of(struct glupy_request *request, struct glupy_task *task)
{
    return task ? &task->base.limited : &request->progress.limited;
}

/* Raised: OSError(ETIMEDOUT), which Python makes a TimeoutError. */
static void
raise_timeout(struct glupy_limit *self, struct glupy_awaitable *awaited)
{
    char text[GLUPY_SHOWN_TEXT], seconds[32];
    struct glupy_line line = {.text = text, .room = sizeof(text)};
    PyObject *error;

    snprintf(seconds, sizeof(seconds), "%g", self->seconds);
    glupy_say(&line, "not done within %s s", seconds);
    if (awaited) {
        glupy_say(&line, ": ");
        glupy_describe(&line, awaited);
    }
    self->told = true;
    error = PyObject_CallFunction(PyExc_OSError, "iN", ETIMEDOUT,
                                  PyUnicode_DecodeUTF8(text, (Py_ssize_t)line.length, "replace"));
    if (error)
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
}

static struct glupy_awaitable *
awaited_by(struct glupy_limit *self)
{
    struct glupy_awaitable *awaited = self->task ? self->task->awaits : self->request->rest.awaits;

    return awaited && awaited->stage == GLUPY_ARMED ? awaited : NULL;
}

static void
resume(struct glupy_limit *self)
{
    if (self->task)
        glupy_queue(self->request, &self->task->base);
    else
        self->request->progress.own_turn = true;
}

/* The alarm. What waits has its turn; a coroutine that may go on in any case is told where it begins the next thing. */
static void
limit_heard(struct glupy_awaitable *base, struct glupy_request *request, struct glupy_awaitable *from)
{
    struct glupy_limit *self = (struct glupy_limit *)base;
    struct glupy_awaitable *awaited;

    (void)from;
    if (self->request != request)
        return;
    self->expired = true;
    awaited = awaited_by(self);
    if (!awaited)
        return;
    raise_timeout(self, awaited);
    self->raised = PyErr_GetRaisedException();
    glupy_withdraw(request, awaited);
    resume(self);
}

bool
glupy_limits_raise(struct glupy_limit *limits)
{
    for (; limits; limits = limits->outer) {
        PyObject *raised = limits->raised;

        if (raised) {
            limits->raised = NULL;
            PyErr_SetRaisedException(raised);
            return true;
        }
    }
    return false;
}

bool
glupy_limits_over(struct glupy_limit *limits)
{
    for (; limits; limits = limits->outer) {
        if (limits->expired && !limits->told) {
            raise_timeout(limits, NULL);
            return true;
        }
    }
    return false;
}

static int
limit_arm(struct glupy_awaitable *base, struct glupy_request *request)
{
    (void)base;
    (void)request;
    PyErr_SetString(PyExc_TypeError, "timeout(): use it in `async with`, or wait_for() for one thing");
    return -1;
}

static PyObject *
limit_result(struct glupy_awaitable *base)
{
    return Py_NewRef(base);
}

static void
limit_proceed(struct glupy_awaitable *base, struct glupy_request *request)
{
    (void)base;
    (void)request;
}

static struct glupy_awaitable *
limit_part(struct glupy_awaitable *base, Py_ssize_t i)
{
    (void)base;
    (void)i;
    return NULL;
}

static const struct glupy_awaitable_ops limit_ops = {
    .name = "timeout",
    .arm = limit_arm,
    .result = limit_result,
    .heard = limit_heard,
    .proceed = limit_proceed,
    .part = limit_part,
};

/* Entering and leaving */

static bool
set_alarm(struct glupy_limit *self, struct glupy_request *request)
{
    struct glupy_awaitable *alarm = glupy_sleep_of(glupy_state_of((PyObject *)self), self->seconds);

    if (!alarm)
        return false;
    if (glupy_arm(request, alarm, &self->base) != 0) {
        Py_DECREF(alarm);
        return false;
    }
    self->alarm = alarm;
    return true;
}

static void
push(struct glupy_limit *self, struct glupy_request *request, struct glupy_task *task)
{
    struct glupy_limit **limits = glupy_limits_of(request, task);
    bool *limited = limited_of(request, task);

    self->request = request;
    self->task = task;
    self->outer = *limits;
    *limits = (struct glupy_limit *)Py_NewRef(self);
    self->limited = *limited;
    *limited = true;
}

/* Nobody is in it any more. */
static void
end(struct glupy_limit *self)
{
    if (self->alarm)
        glupy_withdraw(self->request, self->alarm);
    Py_CLEAR(self->alarm);
    Py_CLEAR(self->raised);
    self->request = NULL;
    self->task = NULL;
}

static void
pop(struct glupy_limit *self)
{
    struct glupy_limit **place = glupy_limits_of(self->request, self->task);

    *limited_of(self->request, self->task) = self->limited;
    while (*place != self)
        place = &(*place)->outer;
    *place = self->outer;
    self->outer = NULL;
    end(self);
    Py_DECREF(self);
}

void
glupy_limits_end(struct glupy_limit **limits)
{
    struct glupy_limit *first;

    while ((first = *limits)) {
        *limits = first->outer;
        first->outer = NULL;
        end(first);
        Py_DECREF(first);
    }
}

static PyObject *
enter(PyObject *object, PyObject *unused)
{
    struct glupy_limit *self = (struct glupy_limit *)object;
    struct glupy_thread *thread = glupy_thread_if_any();
    struct glupy_request *request = thread ? thread->stepping : NULL;

    (void)unused;
    if (!request || !(request->progress.driven || request->progress.coroutine)) {
        PyErr_SetString(PyExc_RuntimeError, "timeout(): only in a coroutine that glupy runs");
        return NULL;
    }
    if (self->base.stage != GLUPY_NEW) {
        PyErr_SetString(PyExc_RuntimeError, "this timeout() has been used already");
        return NULL;
    }
    if (!self->none && !set_alarm(self, request))
        return NULL;
    self->base.stage = GLUPY_DONE;
    if (!self->none)
        push(self, request, request->progress.driven);
    return Py_NewRef(object);
}

static PyObject *
leave(PyObject *object, PyObject *const *args, Py_ssize_t nargs)
{
    struct glupy_limit *self = (struct glupy_limit *)object;

    (void)args;
    (void)nargs;
    if (self->request)
        pop(self);
    return Py_NewRef(glupy_state_of(object)->nothing);
}

static PyObject *
get_expired(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct glupy_limit *)self)->told);
}

PyObject *
glupy_timeout_method(PyObject *module, PyObject *seconds)
{
    struct glupy_state *state = PyModule_GetState(module);
    double value = seconds == Py_None ? 0 : PyFloat_AsDouble(seconds);
    struct glupy_limit *self;

    if (value == -1.0 && PyErr_Occurred())
        return NULL;
    if (!(value >= 0 && value <= 1e9))
        return PyErr_Format(PyExc_ValueError, "timeout(): expected 0 to 1e9 seconds, or None, not %R", seconds);
    self = (struct glupy_limit *)state->limit_type->tp_alloc(state->limit_type, 0);
    if (!self)
        return NULL;
    glupy_awaitable_init(&self->base, &limit_ops);
    self->seconds = value;
    self->none = seconds == Py_None;
    return (PyObject *)self;
}

/* Those in a list are held by it, and the list by its coroutine's end: nothing is left to be ended here. */
static void
limit_dealloc(PyObject *object)
{
    struct glupy_limit *self = (struct glupy_limit *)object;
    PyTypeObject *type = Py_TYPE(object);

    Py_XDECREF(self->alarm);
    Py_XDECREF(self->raised);
    Py_XDECREF(self->base.waiter);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"__aenter__", enter, METH_NOARGS, NULL},
    {"__aexit__", _PyCFunction_CAST(leave), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"expired", get_expired, NULL, "bool: was TimeoutError raised because of this one?", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "What timeout() gives: use it in `async with`."},
    {Py_tp_dealloc, limit_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, getset},
    GLUPY_AWAITABLE_SLOTS,
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "glupy._core.Timeout",
    .basicsize = sizeof(struct glupy_limit),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int
glupy_limit_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &spec, &state->limit_type);
}
