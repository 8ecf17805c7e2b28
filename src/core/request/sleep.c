/* sleep(): a coroutine waits for the clock. */
#include "request/sleep.h"

#include "python/clock.h"
#include "request/request.h"

struct sleep {
    struct glupy_awaitable base;
    uint64_t nanoseconds;
    bool really; /* goes by the real clock, also where a test holds the time */
    const struct glupy_timers *timers; /* by which the alarm is set; NULL until then */
    struct glupy_alarm alarm;
};

static void
wake(struct glupy_alarm *alarm)
{
    struct sleep *self = (void *)((char *)alarm - offsetof(struct sleep, alarm));

    glupy_complete_elsewhere(&self->base);
}

static int
sleep_arm(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct sleep *self = (struct sleep *)base;

    (void)request;
    if (!self->nanoseconds) { /* not at once: others of the same request have their turn first */
        glupy_complete_elsewhere(base);
        return 0;
    }
    self->alarm.ring = wake;
    self->timers = self->really ? glupy_timers_real() : glupy_timers();
    if (self->timers->set(&self->alarm, self->timers->now() + self->nanoseconds))
        return 0;
    PyErr_NoMemory();
    return -1;
}

static bool
sleep_withdraw(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct sleep *self = (struct sleep *)base;

    (void)request;
    return self->timers && self->timers->unset(&self->alarm);
}

static PyObject *
sleep_result(struct glupy_awaitable *base)
{
    (void)base;
    Py_RETURN_NONE;
}

static void
sleep_describe(struct glupy_awaitable *base, struct glupy_line *line)
{
    struct sleep *self = (struct sleep *)base;
    uint64_t now = self->timers ? self->timers->now() : 0;

    glupy_say(line, "sleep of %.3f s, %.3f s to go", (double)self->nanoseconds / 1e9,
              self->alarm.when > now ? (double)(self->alarm.when - now) / 1e9 : 0.0);
}

static const struct glupy_awaitable_ops sleep_ops = {
    .name = "sleep",
    .arm = sleep_arm,
    .withdraw = sleep_withdraw,
    .result = sleep_result,
    .describe = sleep_describe,
};

struct glupy_awaitable *
glupy_sleep_of(struct glupy_state *state, double seconds)
{
    struct sleep *self = (struct sleep *)state->sleep_type->tp_alloc(state->sleep_type, 0);

    if (!self)
        return NULL;
    glupy_awaitable_init(&self->base, &sleep_ops);
    self->nanoseconds = (uint64_t)(seconds * 1e9);
    return &self->base;
}

static PyObject *
sleep_new(PyObject *module, PyObject *seconds, bool really)
{
    double value = PyFloat_AsDouble(seconds);
    struct glupy_awaitable *self;

    if (value == -1.0 && PyErr_Occurred())
        return NULL;
    if (!(value >= 0 && value <= 1e9))
        return PyErr_Format(PyExc_ValueError, "sleep(): expected 0 to 1e9 seconds, not %R", seconds);
    self = glupy_sleep_of(PyModule_GetState(module), value);
    if (self)
        ((struct sleep *)self)->really = really;
    return (PyObject *)self;
}

PyObject *
glupy_sleep_method(PyObject *module, PyObject *seconds)
{
    return sleep_new(module, seconds, false);
}

PyObject *
glupy_pause_method(PyObject *module, PyObject *seconds)
{
    return sleep_new(module, seconds, true);
}

static void
sleep_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    Py_XDECREF(((struct sleep *)object)->base.waiter);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyType_Slot sleep_slots[] = {
    {Py_tp_doc, "What sleep() gives, to be awaited."},
    {Py_tp_dealloc, sleep_dealloc},
    GLUPY_AWAITABLE_SLOTS,
    {0, NULL},
};

static PyType_Spec sleep_spec = {
    .name = "glupy._core.Sleep",
    .basicsize = sizeof(struct sleep),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = sleep_slots,
};

int
glupy_sleep_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &sleep_spec, &state->sleep_type);
}
