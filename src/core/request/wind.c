/* Winding to a child and taking its reply. See wind.h. */
#include "request/wind.h"

#include "base/compat.h"
#include "instance/context.h"
#include "request/background.h"
#include "request/belongs.h"
#include "request/calls.h"
#include "request/child.h"
#include "request/frame.h"
#include "request/late.h"
#include "request/request.h"
#include "request/subject.h"
#include "values/types/types.h"

/* A stack keeps its frames until it is destroyed itself, one a wind. So that a request that winds for ever does not grow
 * for ever, after so many winds each further one gets a stack of its own. */
#define MANY_WINDS 64u

/* Which argument of the request's own fop this object is, or -1. Mostly it stands where it stood. */
static int
own_argument(struct glupy_request *request, PyObject *object, unsigned likely)
{
    PyObject **args = glupy_request_args(request);

    if (request->fop && likely < request->fop->nargs && args[likely] == object)
        return (int)likely;
    for (unsigned i = 0; request->fop && i < request->fop->nargs; i++)
        if (args[i] == object)
            return (int)i;
    return -1;
}

/* Fill `passed` from the normalised arguments. A wrapper of this request may lie in the caller's memory, which outlives
 * the wind: the runner makes it the wrapper's own before it lets go of the request. A wrapper of another request has no
 * such promise, and is made its own owner here. -1 with an exception. */
static int
pass_args(struct glupy_wind *self, struct glupy_request *request, void *passed)
{
    const struct glupy_fop *fop = self->fop;
    int failed = 0;

    for (unsigned i = 0; i < fop->nargs; i++) {
        PyObject *object = self->argv[i];

        if (own_argument(request, object, i) < 0 && object != Py_None && fop->args[i].kind->own &&
            fop->args[i].kind->own(object) != 0)
            failed = -1;
    }
    fop->pass(self->argv, passed);
    return failed;
}

/* Does this argument need no Python object to stay alive: a number, or the very pointer that the caller passed us? */
static bool
is_lent(struct glupy_wind *self, struct glupy_request *request, unsigned i, const void *passed, const void *callers)
{
    const struct glupy_field *field = &self->fop->args[i];
    int at = own_argument(request, self->argv[i], i);

    if (self->argv[i] == Py_None || PyLong_Check(self->argv[i]))
        return true;
    return callers && at >= 0 &&
           memcmp(glupy_passed(field, passed), glupy_passed(&request->fop->args[at], callers),
                  field->kind->passed_size) == 0;
}

/* An Xdata that is changed while the wind is out gets another dict_t; the one that was wound must stay. */
static void
keep_dicts(struct glupy_wind *self)
{
    unsigned n = 0;

    for (unsigned left = self->fop->dicts; left; left &= left - 1) {
        dict_t **dict = glupy_passed(&self->fop->args[__builtin_ctz(left)], &self->passed);

        if (*dict)
            self->dicts[n++] = dict_ref(*dict);
    }
}

bool
glupy_wind_tail_args(struct glupy_wind *self, struct glupy_request *request, const void *callers,
                     union glupy_any_args *passed)
{
    bool lent = true;

    if (pass_args(self, request, passed) != 0)
        PyErr_Clear(); /* without memory own() leaves an empty value behind */
    memcpy(&self->passed, passed, self->fop->args_passed_size);
    keep_dicts(self);
    for (unsigned i = 0; i < self->fop->nargs; i++)
        lent = lent && is_lent(self, request, i, passed, callers);
    return lent;
}

int
glupy_wind_check(struct glupy_wind *self, struct glupy_request *request)
{
    if (!glupy_child_alive(self->child))
        return -1;
    return glupy_belongs_child(request->instance, self->child) &&
                   glupy_belongs_args(self->child, self->fop, self->argv, &self->table)
               ? 0
               : -1;
}

static int
wind_arm(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct glupy_wind *self = (struct glupy_wind *)base;

    if (glupy_wind_check(self, request) != 0)
        return -1;
    self->reply = glupy_reply_new(glupy_state_of((PyObject *)base), self->child->instance, self->fop);
    if (!self->reply || pass_args(self, request, &self->passed) != 0)
        return -1;
    keep_dicts(self);
    self->next_to_wind = request->out.to_wind;
    request->out.to_wind = self;
    request->out.winds++;
    request->task.busy = !request->fop;
    return 0;
}

static void
drop_dicts(struct glupy_wind *self)
{
    for (unsigned i = 0; i < GLUPY_MAX_DICTS && self->dicts[i]; i++) {
        glupy_drop_dict(self->dicts[i]);
        self->dicts[i] = NULL;
    }
}

static void
wind_landed(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct glupy_wind *self = (struct glupy_wind *)base;

    request->out.winds--;
    if (self->child->instance->this)
        glupy_reply_expect(glupy_state_of((PyObject *)self), self->reply, self->table);
    else
        glupy_reply_lose(self->reply);
    if (self->reply->op_ret >= 0 && self->child->instance->contexts.any)
        glupy_contexts_met(self->child->instance, self->fop, self->reply->held,
                           glupy_first_inode(self->fop, self->argv));
    /* Give the arguments back now: a wind object can live on for long. */
    for (unsigned i = 0; i < self->fop->nargs; i++)
        Py_CLEAR(self->argv[i]);
    drop_dicts(self);
    Py_CLEAR(self->identity);
    if (base->stage == GLUPY_GIVEN_UP)
        Py_CLEAR(self->reply);
}

/* Left behind: the child has it still, on a frame of its own. It keeps itself, and the instance waits for it when it ends,
 * but its request does not. */
static bool
wind_withdraw(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct glupy_wind *self = (struct glupy_wind *)base;
    enum glupy_wind_fate out = GLUPY_WIND_OUT;

    if (!self->can_be_left || !(self->late = glupy_late_wind_new(self)))
        return false;
    if (!atomic_compare_exchange_strong(&self->fate, &out, GLUPY_WIND_LEFT)) {
        glupy_late_wind_free(self->late);
        self->late = NULL;
        return false;
    }
    request->out.winds--;
    return true;
}

static PyObject *
wind_result(struct glupy_awaitable *base)
{
    struct glupy_wind *self = (struct glupy_wind *)base;

    if (!self->reply) {
        PyErr_SetString(PyExc_RuntimeError, "this wind was returned by a fop: its reply went past Python");
        return NULL;
    }
    if (self->reply->op_ret < 0 && !self->errors_are_values) {
        glupy_reply_raise(self->reply);
        return NULL;
    }
    return Py_NewRef(self->reply);
}

/* The child's xlator is there: GlusterFS frees those of a graph after it has ended all of them. */
static void
wind_describe(struct glupy_awaitable *base, struct glupy_line *line)
{
    struct glupy_wind *self = (struct glupy_wind *)base;

    glupy_say(line, "%s from %s", self->fop->name, self->child->xlator->name);
}

static const struct glupy_awaitable_ops wind_ops = {
    .name = "wind",
    .arm = wind_arm,
    .landed = wind_landed,
    .withdraw = wind_withdraw,
    .result = wind_result,
    .describe = wind_describe,
};

bool
glupy_wind_can_tail(PyObject *wind)
{
    return !((struct glupy_wind *)wind)->identity;
}

bool
glupy_is_wind(PyObject *object)
{
    return glupy_is_awaitable(object) && ((struct glupy_awaitable *)object)->ops == &wind_ops;
}

/* The callback. The reply and the wind are kept alive by the request; only the runner looks at them once completed. */
void
glupy_wind_done(void *cookie, int32_t op_ret, int32_t op_errno, const void *passed)
{
    struct glupy_wind *self = cookie;
    call_frame_t *own_frame = self->own_frame;
    enum glupy_wind_fate out = GLUPY_WIND_OUT;

    self->own_frame = NULL;
    if (self->can_be_left && !atomic_compare_exchange_strong(&self->fate, &out, GLUPY_WIND_BACK)) {
        STACK_DESTROY(own_frame->root);
        glupy_late_wind_back(self->late);
        return;
    }
    glupy_reply_hold(self->reply, op_ret, op_errno, passed);
    if (own_frame) /* before the request goes on: it may end, and its graph with it */
        STACK_DESTROY(own_frame->root);
    glupy_complete(&self->base);
}

/* The child has no such fop, there is no frame for it, or nobody wants it any more: the wind is over before it began. */
static void
wind_failed(struct glupy_wind *self, int32_t op_errno)
{
    glupy_reply_hold(self->reply, -1, op_errno, NULL);
    glupy_complete(&self->base);
}

static void
wind_one(struct glupy_request *request, struct glupy_wind *self)
{
    call_frame_t *frame;

    if (!request->instance->this) { /* the step that armed it lasted for longer than the graph */
        wind_failed(self, ENOTCONN);
        return;
    }
    frame = request->frame ? request->frame : glupy_background_make_frame(request);

    if (frame && (self->identity || self->base.limited || request->out.wound >= MANY_WINDS))
        frame = self->own_frame = glupy_frame_copy(frame, self->identity);
    self->can_be_left = frame && self->base.limited;
    if (!frame) {
        wind_failed(self, ENOMEM);
        return;
    }
    if (!glupy_calls_of(self->fop)->wind(frame, self, self->child->xlator, &self->passed)) {
        if (self->own_frame)
            STACK_DESTROY(self->own_frame->root);
        self->own_frame = NULL;
        self->can_be_left = false;
        wind_failed(self, ENOTSUP);
    }
}

void
glupy_wind_all(struct glupy_request *request)
{
    struct glupy_wind *first = NULL, *next;

    /* Last armed came first: turn the list, so that winds leave in the order the author wrote. */
    for (struct glupy_wind *wind = request->out.to_wind; wind; wind = next) {
        next = wind->next_to_wind;
        wind->next_to_wind = first;
        first = wind;
    }
    request->out.to_wind = NULL;
    for (; first; first = next) {
        next = first->next_to_wind; /* read before: a completed wind is the runner's, which is us, but may be shared */
        if (first->base.stage == GLUPY_GIVEN_UP)
            wind_failed(first, ECANCELED);
        else
            wind_one(request, first);
        if (request->out.wound < MANY_WINDS)
            request->out.wound++;
    }
}

/* Forgetting the `await` is easily done, and otherwise nothing would tell. */
static void
warn_never_awaited(struct glupy_wind *self)
{
    PyObject *raised = PyErr_GetRaisedException();

    if (PyErr_WarnFormat(PyExc_RuntimeWarning, 1, "%s was never wound to %s: await self.child.%s(...), or return it",
                         self->fop->name, glupy_child_name(self->child), self->fop->name) != 0)
        PyErr_WriteUnraisable(NULL);
    if (raised)
        PyErr_SetRaisedException(raised);
}

static void
wind_dealloc(PyObject *object)
{
    struct glupy_wind *self = (struct glupy_wind *)object;

    if (self->base.stage == GLUPY_NEW)
        warn_never_awaited(self);
    for (unsigned i = 0; i < self->fop->nargs; i++)
        Py_XDECREF(self->argv[i]);
    drop_dicts(self);
    Py_XDECREF(self->reply);
    Py_XDECREF(self->identity);
    Py_DECREF(self->child);
    Py_XDECREF(self->base.waiter);
    glupy_spares_give(&glupy_state_of(object)->wind_spares, object);
}

static PyObject *
wind_repr(PyObject *object)
{
    static const char *const stages[] = {"new", "awaited", "wound", "answered", "given up"};
    struct glupy_wind *self = (struct glupy_wind *)object;

    return PyUnicode_FromFormat("<wind of %s to %s, %s>", self->fop->name, glupy_child_name(self->child),
                                stages[self->base.stage]);
}

static PyObject *
wind_or_error(PyObject *object, PyObject *unused)
{
    struct glupy_wind *self = (struct glupy_wind *)object;

    (void)unused;
    if (self->base.stage != GLUPY_NEW) {
        PyErr_SetString(PyExc_RuntimeError, "or_error(): this wind has been awaited before");
        return NULL;
    }
    self->errors_are_values = true;
    return Py_NewRef(object);
}

static PyMethodDef wind_methods[] = {
    {"or_error", wind_or_error, METH_NOARGS,
     "or_error($self, /)\n--\n\n"
     "This wind, whose await gives the reply of a failed fop as well, instead of raising it: its op_ret is -1 then, its\n"
     "op_errno says why. Returned from a fop method it is answered with as it came. RuntimeError once it is awaited."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot wind_slots[] = {
    {Py_tp_doc, "A fop to be wound to a child: await it, give it to gather(), or return it from a fop method (a tail\n"
                "wind, STACK_WIND_TAIL, whose reply goes straight past Python)."},
    {Py_tp_dealloc, wind_dealloc},
    {Py_tp_repr, wind_repr},
    {Py_tp_methods, wind_methods},
    GLUPY_AWAITABLE_SLOTS,
    {0, NULL},
};

static PyType_Spec wind_spec = {
    .name = "glupy._core.Wind",
    .basicsize = sizeof(struct glupy_wind),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = wind_slots,
};

int
glupy_wind_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &wind_spec, &state->wind_type);
}

/* Child: making winds */

/* Who the running coroutine acts as. */
static struct glupy_identity *
current_identity(void)
{
    struct glupy_thread *thread = glupy_thread_if_any();

    return thread && thread->stepping ? thread->stepping->identity : NULL;
}

struct glupy_wind *
glupy_wind_new(struct glupy_state *state, const struct glupy_fop *fop, PyObject *child)
{
    struct glupy_wind *self = (struct glupy_wind *)glupy_spares_take(&state->wind_spares, state->wind_type);

    if (!self)
        return NULL;
    glupy_awaitable_init(&self->base, &wind_ops);
    self->fop = fop;
    self->child = (struct glupy_child *)Py_NewRef(child);
    memset(self->argv, 0, sizeof(self->argv));
    memset(self->dicts, 0, sizeof(self->dicts));
    self->reply = NULL;
    self->next_to_wind = NULL;
    self->own_frame = NULL;
    self->can_be_left = false;
    atomic_init(&self->fate, GLUPY_WIND_OUT);
    self->late = NULL;
    self->errors_are_values = false;
    self->identity = (struct glupy_identity *)Py_XNewRef(current_identity());
    self->table = NULL;
    return self;
}

static int
argument_index(const struct glupy_fop *fop, PyObject *name)
{
    for (unsigned i = 0; i < fop->nargs; i++)
        if (PyUnicode_CompareWithASCIIString(name, fop->args[i].name) == 0)
            return (int)i;
    PyErr_Format(PyExc_TypeError, "%s() has no argument %R", fop->name, name);
    return -1;
}

/* "stat(): loc: expected Loc, not int" instead of the kind's bare words. */
static void
name_argument(const struct glupy_fop *fop, unsigned i)
{
    PyObject *error = PyErr_GetRaisedException();

    PyErr_Format((PyObject *)Py_TYPE(error), "%s(): %s: %S", fop->name, fop->args[i].name, error);
    Py_DECREF(error);
}

static bool
fits(const struct glupy_field *field, PyObject *object)
{
    if (field->nullable || !field->kind->fit)
        return true;
    return (field->inodeless ? glupy_fit_not_none(object) : field->kind->fit(object)) == 0;
}

static int
set_argument(struct glupy_state *state, struct glupy_wind *self, unsigned i, PyObject *value)
{
    const struct glupy_field *field = &self->fop->args[i];

    if (self->argv[i]) {
        PyErr_Format(PyExc_TypeError, "%s() got two values for %s", self->fop->name, self->fop->args[i].name);
        return -1;
    }
    self->argv[i] = field->kind->convert(state, value);
    if (self->argv[i] && fits(field, self->argv[i]))
        return 0;
    name_argument(self->fop, i);
    return -1;
}

static int
set_all(struct glupy_state *state, struct glupy_wind *self, PyObject *const *args)
{
    unsigned fine = self->fop->convert(state, self->argv, args);

    if (fine == self->fop->nargs)
        return 0;
    name_argument(self->fop, fine);
    return -1;
}

/* What was left out is as it came. It may be what a wind of our own could not go out with: we are not the first. */
static int
fill_as_came(struct glupy_state *state, struct glupy_wind *self, PyObject *const *callers)
{
    for (unsigned i = 0; i < self->fop->nargs; i++) {
        if (self->argv[i])
            continue;
        self->argv[i] = self->fop->args[i].kind->convert(state, callers[i]);
        if (!self->argv[i]) {
            name_argument(self->fop, i);
            return -1;
        }
    }
    return 0;
}

/* What was left out: xdata is none then, everything else is a mistake. */
static int
fill_missing(struct glupy_wind *self)
{
    for (unsigned i = 0; i < self->fop->nargs; i++) {
        if (self->argv[i])
            continue;
        if (self->fop->args[i].kind != &glupy_kind_dict || !self->fop->args[i].nullable) {
            PyErr_Format(PyExc_TypeError, "%s() lacks its argument %s", self->fop->name, self->fop->args[i].name);
            return -1;
        }
        self->argv[i] = Py_NewRef(Py_None);
    }
    return 0;
}

static bool
is_child_keyword(PyObject *name)
{
    return PyUnicode_CompareWithASCIIString(name, GLUPY_CHILD_KEYWORD) == 0;
}

/* `callers` is NULL for a wind that does not repeat a call. */
static PyObject *
make_wind(PyObject *child, const struct glupy_fop *fop, PyObject *const *callers, PyObject *const *args,
          Py_ssize_t nargs, PyObject *kwnames)
{
    struct glupy_state *state = glupy_state_of(child);
    struct glupy_wind *self;

    if (nargs > fop->nargs) {
        PyErr_Format(PyExc_TypeError, "%s() takes %d arguments, %zd given", fop->name, fop->nargs, nargs);
        return NULL;
    }
    if (!glupy_child_alive((struct glupy_child *)child))
        return NULL;
    self = glupy_wind_new(state, fop, child);
    if (!self)
        return NULL;
    if (nargs == fop->nargs && !kwnames) {
        if (set_all(state, self, args) != 0)
            goto error;
        return (PyObject *)self;
    }
    for (Py_ssize_t i = 0; i < nargs; i++)
        if (set_argument(state, self, (unsigned)i, args[i]) != 0)
            goto error;
    for (Py_ssize_t i = 0; kwnames && i < PyTuple_GET_SIZE(kwnames); i++) {
        int at;

        if (callers && is_child_keyword(PyTuple_GET_ITEM(kwnames, i)))
            continue;
        at = argument_index(fop, PyTuple_GET_ITEM(kwnames, i));
        if (at < 0 || set_argument(state, self, (unsigned)at, args[nargs + i]) != 0)
            goto error;
    }
    if ((callers ? fill_as_came(state, self, callers) : fill_missing(self)) == 0)
        return (PyObject *)self;
error:
    self->base.stage = GLUPY_DONE; /* not a forgotten await */
    Py_DECREF(self);
    return NULL;
}

PyObject *
glupy_child_call(PyObject *child, const struct glupy_fop *fop, PyObject *const *args, Py_ssize_t nargs,
                 PyObject *kwnames)
{
    return make_wind(child, fop, NULL, args, nargs, kwnames);
}

PyObject *
glupy_wind_again(PyObject *child, const struct glupy_fop *fop, PyObject *const *callers, PyObject *const *args,
                 Py_ssize_t nargs, PyObject *kwnames)
{
    return make_wind(child, fop, callers, args, nargs, kwnames);
}

PyObject *
glupy_wind_same(struct glupy_request *request)
{
    PyObject *child = PyTuple_GET_ITEM(request->instance->children, 0);

    return make_wind(child, request->fop, glupy_request_args(request), NULL, 0, NULL);
}
