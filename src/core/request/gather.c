/* gather(): several awaitables at once. */
#include "request/gather.h"

#include "base/compat.h"
#include "request/request.h"

struct glupy_gather {
    struct glupy_awaitable base;
    struct glupy_identity *identity; /* frame.as_root() in force where it is awaited */
    PyObject *members;               /* tuple of awaitables of ours; coroutines have become tasks */
    Py_ssize_t begun;                /* how many of them */
    Py_ssize_t pending;              /* how many are not done */
    bool return_exceptions;
    struct glupy_outcome outcome;    /* once it is done, or where there was no memory to begin a member */
};

static struct glupy_awaitable *
member_at(struct glupy_gather *self, Py_ssize_t i)
{
    return (struct glupy_awaitable *)PyTuple_GET_ITEM(self->members, i);
}

/* The current exception stands in the place of a member that could not begin. Those that have begun are let run to their
 * end all the same. */
static void
refused(struct glupy_gather *self, Py_ssize_t i)
{
    struct glupy_task *failed = glupy_task_failed(glupy_state_of((PyObject *)self), PyErr_GetRaisedException());
    PyObject *member = PyTuple_GET_ITEM(self->members, i);

    self->pending--;
    if (failed) {
        PyTuple_SET_ITEM(self->members, i, (PyObject *)failed);
        Py_DECREF(member);
    } else if (glupy_outcome_known(&self->outcome)) {
        PyErr_Clear();
    } else {
        glupy_outcome_set(&self->outcome, NULL);
    }
}

static void
begin_next(struct glupy_gather *self, struct glupy_request *request)
{
    Py_ssize_t i = self->begun;

    if (glupy_arm(request, member_at(self, i), &self->base) != 0)
        refused(self, i);
    else if (member_at(self, i)->stage == GLUPY_DONE)
        self->pending--;
    self->begun++;
}

/* Begin members in the order given. One that takes a turn has it before those after it begin: the gather queues behind
 * it. True when all are done. */
static bool
begin_members(struct glupy_gather *self, struct glupy_request *request, bool may_queue)
{
    while (self->begun < PyTuple_GET_SIZE(self->members)) {
        bool turn = member_at(self, self->begun)->ops->proceed != NULL;

        if (turn)
            glupy_queue(request, &self->base);
        if (turn && !may_queue)
            return false;
        begin_next(self, request);
        if (turn)
            return false;
    }
    return self->pending == 0;
}

static void
collect(struct glupy_gather *self)
{
    Py_ssize_t n = PyTuple_GET_SIZE(self->members);
    PyObject *results;

    if (glupy_outcome_known(&self->outcome))
        return;
    results = PyTuple_New(n);
    for (Py_ssize_t i = 0; results && i < n; i++) {
        struct glupy_awaitable *member = member_at(self, i);
        PyObject *result = member->ops->result(member);

        if (!result && self->return_exceptions)
            result = PyErr_GetRaisedException();
        if (result)
            PyTuple_SET_ITEM(results, i, result);
        else
            Py_CLEAR(results); /* the first failure, in the order given, is the gather's */
    }
    glupy_outcome_set(&self->outcome, results);
}

/* Nothing that takes turns of its own begins in here: gathers may be nested as deep as one likes. */
static int
gather_arm(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct glupy_gather *self = (struct glupy_gather *)base;

    self->pending = PyTuple_GET_SIZE(self->members);
    self->identity = (struct glupy_identity *)Py_XNewRef(request->identity);
    if (!begin_members(self, request, false))
        return 0;
    collect(self);
    return 1;
}

static void
gather_proceed(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct glupy_gather *self = (struct glupy_gather *)base;
    struct glupy_identity *own = request->identity;
    bool done;

    request->identity = self->identity;
    done = begin_members(self, request, true);
    request->identity = own;
    if (!done)
        return;
    collect(self);
    base->stage = GLUPY_DONE;
    glupy_deliver(request, base);
}

static void
gather_heard(struct glupy_awaitable *base, struct glupy_request *request, struct glupy_awaitable *from)
{
    (void)from;
    if (--((struct glupy_gather *)base)->pending == 0)
        glupy_queue(request, base);
}

static PyObject *
gather_result(struct glupy_awaitable *base)
{
    return glupy_outcome_get(&((struct glupy_gather *)base)->outcome);
}

/* Where it fails, nobody goes on with what its members brought: a turn at a lock is given on when it goes. */
static void
gather_accepted(struct glupy_awaitable *base, struct glupy_awaitable **more)
{
    struct glupy_gather *self = (struct glupy_gather *)base;

    if (!self->outcome.value)
        return;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->members); i++)
        glupy_accept_too(member_at(self, i), more);
}

static struct glupy_awaitable *
gather_part(struct glupy_awaitable *base, Py_ssize_t i)
{
    struct glupy_gather *self = (struct glupy_gather *)base;

    return i < PyTuple_GET_SIZE(self->members) ? member_at(self, i) : NULL;
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
    .accepted = gather_accepted,
    .heard = gather_heard,
    .proceed = gather_proceed,
    .part = gather_part,
    .describe = gather_describe,
};

/* Turn what gather() was given into awaitables of ours. */
static PyObject *
make_members(struct glupy_state *state, PyObject *args)
{
    PyObject *members = PyTuple_New(PyTuple_GET_SIZE(args));

    for (Py_ssize_t i = 0; members && i < PyTuple_GET_SIZE(args); i++) {
        PyObject *given = PyTuple_GET_ITEM(args, i), *member = (PyObject *)glupy_awaitable_of(state, given);

        if (!member && !PyErr_Occurred())
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
    struct glupy_gather *self = (struct glupy_gather *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->members);
    Py_VISIT(self->identity);
    return glupy_outcome_traverse(&self->outcome, visit, arg);
}

static int
gather_clear(PyObject *object)
{
    struct glupy_gather *self = (struct glupy_gather *)object;

    Py_CLEAR(self->members);
    Py_CLEAR(self->identity);
    glupy_outcome_clear(&self->outcome);
    return 0;
}

static void
gather_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    Py_TRASHCAN_BEGIN(object, gather_dealloc)
    gather_clear(object);
    Py_XDECREF(((struct glupy_gather *)object)->base.waiter);
    type->tp_free(object);
    Py_DECREF(type);
    Py_TRASHCAN_END
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
