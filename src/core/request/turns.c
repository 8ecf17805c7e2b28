/* Waiting for a turn. See turns.h. */
#include "request/turns.h"

#include "request/request.h"

struct turn {
    struct glupy_awaitable base;
    PyObject *owner; /* NULL: a turn at nothing */
    struct glupy_turns *turns; /* part of the owner */
    struct list_head link; /* in its line */
    bool granted; /* it has what it waited for, and nobody has gone on with that yet */
};

void
glupy_turns_init(struct glupy_turns *self, const struct glupy_turns_ops *ops)
{
    self->ops = ops;
    INIT_LIST_HEAD(&self->waits);
}

/* Nobody goes on with it. */
static void
give_on(struct turn *self)
{
    if (!self->granted)
        return;
    self->granted = false;
    if (self->turns->ops->give)
        self->turns->ops->give(self->owner);
}

static bool
take(PyObject *owner, struct glupy_turns *turns, struct glupy_request *request)
{
    return list_empty(&turns->waits) && turns->ops->take(owner, request);
}

static int
turn_arm(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct turn *self = (struct turn *)base;

    self->granted = take(self->owner, self->turns, request);
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
    ((struct turn *)base)->granted = false; /* whoever awaited has it */
    Py_RETURN_NONE;
}

static void
turn_describe(struct glupy_awaitable *base, struct glupy_line *line)
{
    struct turn *self = (struct turn *)base;

    self->turns->ops->describe(self->owner, line);
}

static const struct glupy_awaitable_ops turn_ops = {
    .name = "turn",
    .arm = turn_arm,
    .withdraw = turn_withdraw,
    .result = turn_result,
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
glupy_turn_new(struct glupy_state *state, PyObject *owner, struct glupy_turns *turns)
{
    struct turn *self = turn_alloc(state);

    if (!self)
        return NULL;
    self->owner = Py_NewRef(owner);
    self->turns = turns;
    return (PyObject *)self;
}

static struct glupy_request *
current(void)
{
    struct glupy_thread *thread = glupy_thread_if_any();

    return thread ? thread->stepping : NULL;
}

bool
glupy_turns_try(PyObject *owner, struct glupy_turns *self)
{
    return take(owner, self, current());
}

PyObject *
glupy_turns_enter(struct glupy_state *state, PyObject *owner, struct glupy_turns *self)
{
    return glupy_turns_try(owner, self) ? glupy_nothing(state) : glupy_turn_new(state, owner, self);
}

bool
glupy_turns_pass(PyObject *owner, struct glupy_turns *self)
{
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
    Py_XDECREF(self->owner);
    Py_XDECREF(self->base.waiter);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyType_Slot turn_slots[] = {
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
