/* gather(): several awaitables at once. */
#include "gather.h"

#include "compat.h"
#include "request.h"

struct glupy_gather {
    struct glupy_awaitable base;
    PyObject *members; /* tuple of awaitables of ours; coroutines have become tasks */
    Py_ssize_t pending;
    bool return_exceptions;
};

static int
gather_arm(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct glupy_gather *self = (struct glupy_gather *)base;

    /* One more than there are, so that members that are done at once do not finish the gather under our feet. */
    self->pending = PyTuple_GET_SIZE(self->members) + 1;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->members); i++) {
        struct glupy_awaitable *member = (struct glupy_awaitable *)PyTuple_GET_ITEM(self->members, i);

        if (glupy_arm(request, member, base) != 0) {
            /* Awaited elsewhere already: members that have begun are let run to their end all the same. */
            PyObject *error = PyErr_GetRaisedException();
            struct glupy_task *failed = glupy_task_new(glupy_state_of((PyObject *)base), Py_None);

            if (!failed) {
                PyErr_SetRaisedException(error);
                return -1;
            }
            Py_CLEAR(failed->coroutine);
            failed->exception = error;
            failed->base.stage = GLUPY_DONE;
            PyTuple_SET_ITEM(self->members, i, (PyObject *)failed);
            Py_DECREF(member);
            member = &failed->base;
        }
        if (member->stage == GLUPY_DONE)
            self->pending--;
    }
    return --self->pending == 0;
}

static void
gather_heard(struct glupy_awaitable *base, struct glupy_request *request, struct glupy_awaitable *from)
{
    struct glupy_gather *self = (struct glupy_gather *)base;

    (void)from;
    if (--self->pending == 0) {
        base->stage = GLUPY_DONE;
        glupy_deliver(request, base);
    }
}

static PyObject *
gather_result(struct glupy_awaitable *base)
{
    struct glupy_gather *self = (struct glupy_gather *)base;
    Py_ssize_t n = PyTuple_GET_SIZE(self->members);
    PyObject *results = PyTuple_New(n);

    for (Py_ssize_t i = 0; results && i < n; i++) {
        struct glupy_awaitable *member = (struct glupy_awaitable *)PyTuple_GET_ITEM(self->members, i);
        PyObject *result = member->ops->result(member);

        if (!result && self->return_exceptions)
            result = PyErr_GetRaisedException();
        if (result)
            PyTuple_SET_ITEM(results, i, result);
        else
            Py_CLEAR(results); /* the first failure, in the order given, is the gather's */
    }
    return results;
}

/* Those that are still out. The tuple and its members do not change while the request rests. */
static void
gather_describe(struct glupy_awaitable *base, struct glupy_line *line)
{
    PyObject *members = ((struct glupy_gather *)base)->members;
    const char *between = ": ";

    glupy_say(line, "%zd of gather's %zd", ((struct glupy_gather *)base)->pending, PyTuple_GET_SIZE(members));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(members); i++) {
        struct glupy_awaitable *member = (struct glupy_awaitable *)PyTuple_GET_ITEM(members, i);

        if (member->stage != GLUPY_ARMED)
            continue;
        glupy_say(line, "%s", between);
        glupy_describe(line, member);
        between = ", ";
    }
}

static const struct glupy_awaitable_ops gather_ops = {
    .name = "gather",
    .arm = gather_arm,
    .result = gather_result,
    .heard = gather_heard,
    .describe = gather_describe,
};

/* Turn what gather() was given into awaitables of ours. */
static PyObject *
make_members(struct glupy_state *state, PyObject *args)
{
    PyObject *members = PyTuple_New(PyTuple_GET_SIZE(args));

    for (Py_ssize_t i = 0; members && i < PyTuple_GET_SIZE(args); i++) {
        PyObject *given = PyTuple_GET_ITEM(args, i), *member = NULL;

        if (glupy_is_awaitable(given))
            member = Py_NewRef(given);
        else if (PyCoro_CheckExact(given))
            member = (PyObject *)glupy_task_new(state, given);
        else
            PyErr_Format(PyExc_TypeError, "gather(): cannot await %R", given);
        if (member)
            PyTuple_SET_ITEM(members, i, member);
        else
            Py_CLEAR(members);
    }
    return members;
}

PyObject *
glupy_gather_method(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"return_exceptions", NULL};
    struct glupy_state *state = PyModule_GetState(module);
    PyObject *none = PyTuple_New(0), *members = NULL;
    struct glupy_gather *self = NULL;
    int return_exceptions = 0;

    if (none && PyArg_ParseTupleAndKeywords(none, kwargs, "|$p:gather", names, &return_exceptions))
        members = make_members(state, args);
    if (members)
        self = (struct glupy_gather *)state->gather_type->tp_alloc(state->gather_type, 0);
    Py_XDECREF(none);
    if (!self) {
        Py_XDECREF(members);
        return NULL;
    }
    glupy_awaitable_init(&self->base, &gather_ops);
    self->members = members;
    self->return_exceptions = return_exceptions;
    return (PyObject *)self;
}

static int
gather_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(((struct glupy_gather *)object)->members);
    return 0;
}

static int
gather_clear(PyObject *object)
{
    Py_CLEAR(((struct glupy_gather *)object)->members);
    return 0;
}

static void
gather_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    gather_clear(object);
    Py_XDECREF(((struct glupy_gather *)object)->base.waiter);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyType_Slot gather_slots[] = {
    {Py_tp_doc, "What gather() gives: awaiting it gives the tuple of results."},
    {Py_tp_dealloc, gather_dealloc},
    {Py_tp_traverse, gather_traverse},
    {Py_tp_clear, gather_clear},
    GLUPY_AWAITABLE_SLOTS,
    {0, NULL},
};

static PyType_Spec gather_spec = {
    .name = "glupy._core.Gather",
    .basicsize = sizeof(struct glupy_gather),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC,
    .slots = gather_slots,
};

int
glupy_gather_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &gather_spec, &state->gather_type);
}
