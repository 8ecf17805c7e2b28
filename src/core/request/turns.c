/* Waiting for a turn. See turns.h. */
#include "request/turns.h"

#include "base/compat.h"
#include "request/request.h"

struct turn {
    struct glupy_awaitable base;
    struct glupy_turns *turns; /* a reference; NULL: a turn at nothing */
    struct list_head link; /* in its line */
    bool held_back; /* it stands in the line only once admit() has been called */
    bool granted; /* it has what it waited for, and nobody has gone on with that yet */
};

/* What is shared */

PyObject *
glupy_turns_new(PyTypeObject *type, const struct glupy_turns_ops *ops, PyObject *name)
{
    const char *text = NULL;
    struct glupy_turns *self;

    if (name && !PyUnicode_Check(name))
        return PyErr_Format(PyExc_TypeError, "expected a name, which is a str, not %R", name);
    if (name && !(text = PyUnicode_AsUTF8(name)))
        return NULL;
    self = (struct glupy_turns *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->ops = ops;
    INIT_LIST_HEAD(&self->waits);
    self->name = text && *text ? Py_NewRef(name) : NULL;
    self->text = self->name ? text : NULL;
    return (PyObject *)self;
}

void
glupy_turns_free(PyObject *owner)
{
    PyTypeObject *type = Py_TYPE(owner);

    Py_XDECREF(((struct glupy_turns *)owner)->name);
    type->tp_free(owner);
    Py_DECREF(type);
}

void
glupy_turns_say(PyObject *owner, struct glupy_line *line, const char *type)
{
    const char *text = ((struct glupy_turns *)owner)->text;

    glupy_say(line, text ? "%s %s" : "%s", type, text);
}

/* A turn */

/* Nobody goes on with it. */
static void
give_on(struct turn *self)
{
    if (!self->granted)
        return;
    self->granted = false;
    if (self->turns->ops->give)
        self->turns->ops->give((PyObject *)self->turns);
}

static bool
take(struct glupy_turns *turns, struct glupy_request *request)
{
    return list_empty(&turns->waits) && turns->ops->take((PyObject *)turns, request);
}

static int
turn_arm(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct turn *self = (struct turn *)base;

    if (self->held_back)
        return 0;
    self->granted = take(self->turns, request);
    if (self->granted)
        return 1;
    list_add_tail(&self->link, &self->turns->waits);
    return 0;
}

static bool
turn_withdraw(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct turn *self = (struct turn *)base;

    (void)request;
    if (self->held_back)
        return true;
    if (list_empty(&self->link)) { /* on its way through the ready list */
        give_on(self);
        return false;
    }
    list_del_init(&self->link);
    return true;
}

static PyObject *
turn_result(struct glupy_awaitable *base)
{
    (void)base;
    Py_RETURN_NONE;
}

static void
turn_accepted(struct glupy_awaitable *base, struct glupy_awaitable **more)
{
    (void)more;
    ((struct turn *)base)->granted = false;
}

static void
turn_describe(struct glupy_awaitable *base, struct glupy_line *line)
{
    struct turn *self = (struct turn *)base;

    if (__atomic_load_n(&self->held_back, __ATOMIC_RELAXED)) {
        glupy_say(line, "a notify at ");
        glupy_turns_say((PyObject *)self->turns, line, "Mutex");
        return;
    }
    self->turns->ops->describe((PyObject *)self->turns, line);
}

static const struct glupy_awaitable_ops turn_ops = {
    .name = "turn",
    .arm = turn_arm,
    .withdraw = turn_withdraw,
    .result = turn_result,
    .accepted = turn_accepted,
    .describe = turn_describe,
};

static struct turn *
turn_alloc(struct glupy_state *state)
{
    struct turn *self = (struct turn *)state->turn_type->tp_alloc(state->turn_type, 0);

    if (!self)
        return NULL;
    glupy_awaitable_init(&self->base, &turn_ops);
    INIT_LIST_HEAD(&self->link);
    return self;
}

PyObject *
glupy_turns_acquire(PyObject *owner, PyObject *unused)
{
    struct turn *self = turn_alloc(glupy_state_of(owner));

    (void)unused;
    if (!self)
        return NULL;
    self->turns = (struct glupy_turns *)Py_NewRef(owner);
    return (PyObject *)self;
}

PyObject *
glupy_turns_hold_back(PyObject *owner, PyObject *unused)
{
    struct turn *self = (struct turn *)glupy_turns_acquire(owner, unused);

    if (self)
        self->held_back = true;
    return (PyObject *)self;
}

static PyObject *
admit(PyObject *object, PyObject *unused)
{
    struct turn *self = (struct turn *)object;

    (void)unused;
    if (!self->held_back)
        Py_RETURN_NONE;
    __atomic_store_n(&self->held_back, false, __ATOMIC_RELAXED);
    if (self->base.stage != GLUPY_ARMED) /* nobody awaits it yet, or any more */
        Py_RETURN_NONE;
    self->granted = take(self->turns, self->base.request);
    if (self->granted)
        glupy_complete_elsewhere(&self->base);
    else
        list_add_tail(&self->link, &self->turns->waits);
    Py_RETURN_NONE;
}

static struct glupy_request *
current(void)
{
    struct glupy_thread *thread = glupy_thread_if_any();

    return thread ? thread->stepping : NULL;
}

PyObject *
glupy_turns_try_acquire(PyObject *owner, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(take((struct glupy_turns *)owner, current()));
}

PyObject *
glupy_turns_enter(PyObject *owner, PyObject *unused)
{
    return take((struct glupy_turns *)owner, current()) ? glupy_nothing(glupy_state_of(owner))
                                                        : glupy_turns_acquire(owner, unused);
}

bool
glupy_turns_pass(PyObject *owner)
{
    struct glupy_turns *self = (struct glupy_turns *)owner;
    struct turn *first;

    if (list_empty(&self->waits))
        return false;
    first = list_first_entry(&self->waits, struct turn, link);
    list_del_init(&first->link);
    first->granted = true;
    if (self->ops->pass)
        self->ops->pass(owner, first->base.request);
    glupy_complete_elsewhere(&first->base);
    return true;
}

PyObject *
glupy_nothing(struct glupy_state *state)
{
    return Py_NewRef(state->nothing);
}

static void
turn_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    struct turn *self = (struct turn *)object;

    give_on(self);
    Py_XDECREF(self->turns);
    Py_XDECREF(self->base.waiter);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef turn_methods[] = {
    {"_admit", admit, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot turn_slots[] = {
    {Py_tp_methods, turn_methods},
    {Py_tp_doc, "What acquire() and wait() give, to be awaited."},
    {Py_tp_dealloc, turn_dealloc},
    GLUPY_AWAITABLE_SLOTS,
    {0, NULL},
};

static PyType_Spec turn_spec = {
    .name = "glupy._core.Turn",
    .basicsize = sizeof(struct turn),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = turn_slots,
};

int
glupy_turns_setup(struct glupy_state *state)
{
    struct turn *nothing;

    if (glupy_add_type(state, &turn_spec, &state->turn_type) != 0 || !(nothing = turn_alloc(state)))
        return -1;
    nothing->base.stage = GLUPY_DONE;
    state->nothing = (PyObject *)nothing;
    return 0;
}
