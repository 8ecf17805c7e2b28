/* to_thread(): a coroutine waits for a worker that calls a function.
 *
 * The call needs nothing of the request's, so that the request may end while it runs: given up, it goes on alone, and what
 * it brings is dropped. */
#include "request/to_thread.h"

#include "base/compat.h"
#include "request/request.h"

struct to_thread {
    struct glupy_awaitable base;
    PyObject *call[3]; /* function, args, kwargs: until it has returned */
    struct glupy_outcome outcome;
    struct glupy_instance *instance; /* whose author's function it is: a reference while it is under way */
    unsigned interpreter;
    bool returned; /* glupy_complete() is about to be called, or has been */
    bool alone;    /* nobody waits for it any more: it is its own owner */
    struct glupy_job job;
};

/* What it needed for the call. */
static void
let_go(struct to_thread *self)
{
    for (unsigned i = 0; i < 3; i++)
        Py_CLEAR(self->call[i]);
    Py_CLEAR(self->instance);
}

/* A function that nobody waits for any more may fail as any other: of that the log is to tell. */
static void
end_alone(struct to_thread *self)
{
    if (self->outcome.exception) {
        (void)glupy_outcome_get(&self->outcome);
        glupy_log_exception_doing(self->instance, "to_thread, given up by who awaited it,");
    }
    let_go(self);
    Py_DECREF(self);
}

static void
call_function(struct glupy_thread *thread, void *arg)
{
    struct to_thread *self = *(struct to_thread **)arg;

    (void)thread;
    THIS = self->instance->this; /* attached: while the xlator cannot go unnoticed */
    if (!self->alone)
        glupy_outcome_set(&self->outcome, PyObject_Call(self->call[0], self->call[1], self->call[2]));
    if (self->alone) {
        end_alone(self);
        *(struct to_thread **)arg = NULL;
        return;
    }
    let_go(self);
    self->returned = true;
}

static void
run_function(struct glupy_job *job)
{
    struct to_thread *self = (void *)((char *)job - offsetof(struct to_thread, job));
    xlator_t *old_this = THIS;
    struct glupy_thread *thread;
    enum glupy_place place = glupy_place(&thread);

    if (place == GLUPY_WORKER)
        return; /* Python is being finalised by its host */
    glupy_call_python(thread, place, self->interpreter, GLUPY_LONG, call_function, &self);
    if (self)
        glupy_complete(&self->base);
    THIS = old_this;
}

static int
to_thread_arm(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct to_thread *self = (struct to_thread *)base;

    self->instance = (struct glupy_instance *)Py_NewRef(request->instance);
    self->interpreter = request->interpreter;
    self->job.run = run_function;
    glupy_worker_submit_blocking(&self->job);
    return 0;
}

static bool
to_thread_withdraw(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct to_thread *self = (struct to_thread *)base;

    (void)request;
    if (self->returned)
        return false;
    if (glupy_worker_withdraw_blocking(&self->job)) {
        let_go(self);
    } else {
        self->alone = true;
        Py_INCREF(self);
    }
    return true;
}

static PyObject *
to_thread_result(struct glupy_awaitable *base)
{
    return glupy_outcome_get(&((struct to_thread *)base)->outcome);
}

static const struct glupy_awaitable_ops to_thread_ops = {
    .name = "to_thread",
    .arm = to_thread_arm,
    .withdraw = to_thread_withdraw,
    .result = to_thread_result,
};

PyObject *
glupy_to_thread_method(PyObject *module, PyObject *args, PyObject *kwargs)
{
    struct glupy_state *state = PyModule_GetState(module);
    struct to_thread *self;

    if (PyTuple_GET_SIZE(args) < 1 || !PyCallable_Check(PyTuple_GET_ITEM(args, 0))) {
        PyErr_SetString(PyExc_TypeError, "to_thread(): expected a function, then its arguments");
        return NULL;
    }
    self = (struct to_thread *)state->to_thread_type->tp_alloc(state->to_thread_type, 0);
    if (!self)
        return NULL;
    glupy_awaitable_init(&self->base, &to_thread_ops);
    self->call[0] = Py_NewRef(PyTuple_GET_ITEM(args, 0));
    self->call[1] = PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args));
    self->call[2] = Py_XNewRef(kwargs);
    if (!self->call[1])
        Py_CLEAR(self);
    return (PyObject *)self;
}

static int
to_thread_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct to_thread *self = (struct to_thread *)object;

    Py_VISIT(Py_TYPE(object));
    for (unsigned i = 0; i < 3; i++)
        Py_VISIT(self->call[i]);
    return glupy_outcome_traverse(&self->outcome, visit, arg);
}

static int
to_thread_clear(PyObject *object)
{
    struct to_thread *self = (struct to_thread *)object;

    let_go(self);
    glupy_outcome_clear(&self->outcome);
    return 0;
}

static void
to_thread_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    Py_TRASHCAN_BEGIN(object, to_thread_dealloc)
    to_thread_clear(object);
    Py_XDECREF(((struct to_thread *)object)->base.waiter);
    type->tp_free(object);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

static PyType_Slot to_thread_slots[] = {
    {Py_tp_doc, "What to_thread() gives, to be awaited."},
    {Py_tp_dealloc, to_thread_dealloc},
    {Py_tp_traverse, to_thread_traverse},
    {Py_tp_clear, to_thread_clear},
    GLUPY_AWAITABLE_SLOTS,
    {0, NULL},
};

static PyType_Spec to_thread_spec = {
    .name = "glupy._core.ToThread",
    .basicsize = sizeof(struct to_thread),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC,
    .slots = to_thread_slots,
};

int
glupy_to_thread_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &to_thread_spec, &state->to_thread_type);
}
