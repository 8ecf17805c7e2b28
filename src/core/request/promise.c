/* One await of a promise. See promise.h. */
#include "request/promise.h"

#include "request/request.h"

struct waiting {
    struct glupy_awaitable base;
    PyObject *owner;
    struct glupy_promise *promise; /* part of the owner */
    struct list_head link;         /* in its list */
};

void
glupy_promise_init(struct glupy_promise *self, const char *kind, const char *name)
{
    INIT_LIST_HEAD(&self->waits);
    self->kind = kind;
    self->name = name;
    self->settler = NULL;
}

static void
wake(struct glupy_promise *self)
{
    self->settler = NULL;
    while (!list_empty(&self->waits)) {
        struct waiting *first = list_first_entry(&self->waits, struct waiting, link);

        list_del_init(&first->link);
        glupy_complete_elsewhere(&first->base);
    }
}

void
glupy_promise_settle(struct glupy_promise *self, PyObject *value)
{
    glupy_outcome_set_value(&self->outcome, value);
    wake(self);
}

void
glupy_promise_fail(struct glupy_promise *self, PyObject *exception)
{
    glupy_outcome_set_exception(&self->outcome, exception);
    wake(self);
}

static int
waiting_arm(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct waiting *self = (struct waiting *)base;

    if (glupy_outcome_known(&self->promise->outcome))
        return 1;
    if (self->promise->settler == request) {
        PyErr_Format(PyExc_RuntimeError, "this %s awaits itself", self->promise->kind);
        return -1;
    }
    list_add_tail(&self->link, &self->promise->waits);
    return 0;
}

static bool
waiting_withdraw(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct waiting *self = (struct waiting *)base;

    (void)request;
    if (list_empty(&self->link))
        return false;
    list_del_init(&self->link);
    return true;
}

static PyObject *
waiting_result(struct glupy_awaitable *base)
{
    return glupy_outcome_get(&((struct waiting *)base)->promise->outcome);
}

static void
waiting_describe(struct glupy_awaitable *base, struct glupy_line *line)
{
    struct glupy_promise *promise = ((struct waiting *)base)->promise;

    glupy_say(line, promise->name ? "%s %s" : "%s", promise->kind, promise->name);
}

static const struct glupy_awaitable_ops waiting_ops = {
    .name = "await",
    .arm = waiting_arm,
    .withdraw = waiting_withdraw,
    .result = waiting_result,
    .describe = waiting_describe,
};

PyObject *
glupy_promise_await(struct glupy_state *state, PyObject *owner, struct glupy_promise *promise)
{
    struct waiting *self = (struct waiting *)state->waiting_type->tp_alloc(state->waiting_type, 0);

    if (!self)
        return NULL;
    glupy_awaitable_init(&self->base, &waiting_ops);
    INIT_LIST_HEAD(&self->link);
    self->owner = Py_NewRef(owner);
    self->promise = promise;
    return (PyObject *)self;
}

static int
waiting_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(((struct waiting *)object)->owner);
    return 0;
}

/* Without a tp_clear: the owner has one, and `promise` is to lead to it as long as this lives. */
static void
waiting_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    Py_TRASHCAN_BEGIN(object, waiting_dealloc)
    Py_XDECREF(((struct waiting *)object)->owner);
    Py_XDECREF(((struct waiting *)object)->base.waiter);
    type->tp_free(object);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

static PyType_Slot waiting_slots[] = {
    {Py_tp_doc, "One await of a Future or Task."},
    {Py_tp_dealloc, waiting_dealloc},
    {Py_tp_traverse, waiting_traverse},
    GLUPY_AWAITABLE_SLOTS,
    {0, NULL},
};

static PyType_Spec waiting_spec = {
    .name = "glupy._core.Waiting",
    .basicsize = sizeof(struct waiting),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC,
    .slots = waiting_slots,
};

int
glupy_promise_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &waiting_spec, &state->waiting_type);
}
