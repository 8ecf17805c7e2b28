/* Classic requests: calling the script's functions, and carrying on with what they decided. See classic.h. */
#include "classic/classic.h"

#include "base/compat.h"
#include "classic/classic_known.h"
#include "observe/log.h"
#include "python/method.h"
#include "request/answer.h"
#include "request/asked.h"
#include "request/child.h"
#include "request/subject.h"
#include "request/wind.h"

static struct glupy_classic_state *
state_of(struct glupy_request *request)
{
    return request->instance->state->classic;
}

/* Arguments of a call. */

/* Room for glupy_call_method(), for what every callback is given before its own, and for those. */
#define MAX_ARGUMENTS (1 + 5 + GLUPY_CLASSIC_MAX_PARAMS)

struct call {
    struct glupy_classic_request *self;
    PyObject *argv[MAX_ARGUMENTS]; /* from the second on: references */
    unsigned n;                    /* how many */
    struct glupy_pointer pointers[GLUPY_CLASSIC_MAX_PARAMS];
    unsigned npointers;
    bool of_reply; /* pointers lead into a reply, not into the fop's arguments */
};

static bool
add(struct call *call, PyObject *object)
{
    if (!object)
        return false;
    call->argv[++call->n] = object;
    return true;
}

static bool
add_text(struct call *call, const char *text)
{
    struct glupy_classic_state *state = state_of(call->self->request);

    return add(call, text ? PyObject_CallFunction(state->text_type, "y", text) : Py_NewRef(Py_None));
}

static bool
add_pointer(struct call *call, enum glupy_classic_type type, void *value)
{
    struct glupy_pointer *pointer = &call->pointers[call->npointers];

    if (!glupy_pointer_new(state_of(call->self->request), type, value, pointer))
        return false;
    call->npointers++;
    return add(call, Py_NewRef(pointer->object));
}

static bool
add_param(struct call *call, const struct glupy_classic_param *param, const void *passed)
{
    const void *at = (const char *)passed + param->passed;

    switch (param->type) {
        case GLUPY_CLASSIC_INT32:
            return add(call, PyLong_FromLong(*(const int32_t *)at));
        case GLUPY_CLASSIC_UINT32:
            return add(call, PyLong_FromUnsignedLong(*(const uint32_t *)at));
        case GLUPY_CLASSIC_INT64:
            return add(call, PyLong_FromLongLong(*(const int64_t *)at));
        case GLUPY_CLASSIC_UINT64:
            return add(call, PyLong_FromUnsignedLongLong(*(const uint64_t *)at));
        case GLUPY_CLASSIC_STRING:
            return add_text(call, *(const char *const *)at);
        case GLUPY_CLASSIC_OPAQUE:
            return add(call, *(void *const *)at ? PyLong_FromVoidPtr(*(void *const *)at) : Py_NewRef(Py_None));
        default:
            return add_pointer(call, param->type, *(void *const *)at);
    }
}

/* The script holds on to a pointer that it was given: remember it until the request ends. */
static void
keep(struct glupy_classic_request *self, struct glupy_pointer *pointer, bool of_reply)
{
    struct glupy_kept *kept = self->kept;

    if (self->nkept == self->room) {
        kept = realloc(kept, (self->room + 8) * sizeof(*kept));
        if (!kept) {
            glupy_pointer_end(state_of(self->request), pointer);
            return;
        }
        self->kept = kept;
        self->room += 8;
    }
    kept[self->nkept++] = (struct glupy_kept){.pointer = *pointer, .of_reply = of_reply};
}

static void
end_call(struct call *call)
{
    struct glupy_classic_state *state = state_of(call->self->request);

    for (unsigned i = 1; i <= call->n; i++)
        Py_DECREF(call->argv[i]);
    for (unsigned i = 0; i < call->npointers; i++)
        if (glupy_sole_reference(call->pointers[i].object))
            glupy_pointer_drop(state, &call->pointers[i]);
        else
            keep(call->self, &call->pointers[i], call->of_reply);
}

static PyObject *
run_call(struct call *call, PyObject *function)
{
    PyObject *result;

    call->self->calling = true;
    result = glupy_call_method(function, call->argv, call->n);
    call->self->calling = false;
    return result;
}

static void
begin_call(struct call *call, struct glupy_classic_request *self, bool of_reply)
{
    call->self = self;
    call->of_reply = of_reply;
    call->n = 0;
    call->npointers = 0;
    add(call, Py_NewRef(self->frame.object));
}

static bool
add_this(struct call *call)
{
    return add(call, Py_NewRef(glupy_classic_of(call->self->request->instance)->this_pointer.object));
}

static PyObject *
call_fop(struct glupy_classic_request *self, PyObject *function)
{
    const struct glupy_classic_fop *fop = &glupy_classic_fops[self->request->fop->index];
    PyObject *result = NULL;
    struct call call;
    bool ready;

    begin_call(&call, self, false);
    self->args_given = glupy_given_new(state_of(self->request), self->request->fop->args, self->request->fop->nargs,
                                       &self->args, self->request->fop->args_passed_size);
    ready = self->args_given && add_this(&call);
    for (unsigned i = 0; ready && i < fop->nparams; i++)
        ready = add_param(&call, &fop->params[i], &self->args_given->shown);
    if (ready)
        result = run_call(&call, function);
    end_call(&call);
    return result;
}

static PyObject *
call_callback(struct glupy_classic_request *self, PyObject *function)
{
    const struct glupy_classic_fop *fop = &glupy_classic_fops[self->reply->fop->index];
    PyObject *result = NULL;
    struct call call;
    bool ready;

    begin_call(&call, self, true);
    self->reply_given = glupy_given_new(state_of(self->request), self->reply->fop->reply, self->reply->fop->nreply,
                                        &self->reply_passed, self->reply->fop->reply_passed_size);
    ready = self->reply_given && add(&call, PyLong_FromLong(self->id)) && add_this(&call) &&
            add(&call, PyLong_FromLong(self->reply->op_ret)) && add(&call, PyLong_FromLong(self->reply->op_errno));
    for (unsigned i = 0; ready && i < fop->ncbk_params; i++)
        ready = add_param(&call, &fop->cbk_params[i], &self->reply_given->shown);
    if (ready)
        result = run_call(&call, function);
    end_call(&call);
    return result;
}

/* What came of a call. */

/* The request ends in EIO; the current exception says why. */
static void
fail(struct glupy_classic_request *self)
{
    glupy_classic_undecide(self);
    self->request->progress.exception = PyErr_GetRaisedException();
    self->request->progress.finished = true;
}

/* A function that returned has no traceback: say where it is. */
static void
raise_undecided(struct glupy_classic_request *self, const char *fop, const char *ending, PyObject *function)
{
    PyObject *code = PyObject_GetAttrString(function, "__code__");
    PyObject *file = code ? PyObject_GetAttrString(code, "co_filename") : NULL;
    PyObject *line = file ? PyObject_GetAttrString(code, "co_firstlineno") : NULL;

    PyErr_Clear();
    if (line)
        PyErr_Format(PyExc_RuntimeError,
                     "%s_%s (File \"%U\", line %S) returned without having wound or unwound: it has to call "
                     "dl.wind_%s or dl.unwind_%s",
                     fop, ending, file, line, fop, self->request->fop->name);
    else
        PyErr_Format(PyExc_RuntimeError,
                     "%s_%s returned without having wound or unwound: it has to call dl.wind_%s or dl.unwind_%s", fop,
                     ending, fop, self->request->fop->name);
    Py_XDECREF(line);
    Py_XDECREF(file);
    Py_XDECREF(code);
}

static bool
keeps_reply(struct glupy_classic_request *self)
{
    for (unsigned i = 0; i < self->nkept; i++)
        if (self->kept[i].of_reply)
            return true;
    return false;
}

/* The latest reply goes up unchanged: moved, unless the script may still look into it. */
static void
unwind_as_came(struct glupy_classic_request *self)
{
    struct glupy_answer *answer = self->request->answer;
    const struct glupy_fop *fop = self->request->fop;

    answer->how = GLUPY_UNWIND;
    answer->op_ret = self->reply->op_ret;
    answer->op_errno = self->reply->op_errno;
    if (keeps_reply(self) ? fop->hold(&answer->held, &self->reply_passed) == 0
                          : glupy_reply_take(self->reply, &answer->held, true) == 0) {
        self->request->progress.finished = true;
        return;
    }
    if (!PyErr_Occurred())
        PyErr_NoMemory();
    self->decision = GLUPY_UNDECIDED;
    fail(self);
}

/* Nobody wants the reply, and the caller's memory is still there: the frame can go along. */
static bool
goes_past(struct glupy_classic_request *self)
{
    const struct glupy_fop *fop = self->wind->fop;

    return fop == self->request->fop && self->callers && self->lent &&
           !glupy_classic_of(self->request->instance)->callbacks[fop->index] &&
           !glupy_wind_asks_more(self->request, self->wind);
}

static void
tail(struct glupy_classic_request *self)
{
    struct glupy_answer *answer = self->request->answer;

    answer->how = GLUPY_TAIL;
    answer->child = self->wind->child->xlator;
    answer->passed = &answer->args;
    memcpy(&answer->args, &self->wind->passed, self->wind->fop->args_passed_size);
    self->request->progress.finished = true;
    self->wind->base.stage = GLUPY_DONE;
    Py_CLEAR(self->wind);
}

/* The wind leaves as soon as the interpreter has been left. */
static void
arm(struct glupy_classic_request *self)
{
    struct glupy_request *request = self->request;
    struct glupy_wind *wind = self->wind;

    self->wind = NULL;
    wind->base.request = request;
    wind->base.stage = GLUPY_ARMED;
    wind->next_to_wind = request->out.to_wind;
    request->out.to_wind = wind;
    request->out.count++;
    request->out.winds++;
}

static void
carry_on(struct glupy_classic_request *self)
{
    enum glupy_decision decision = self->decision;

    self->decision = GLUPY_UNDECIDED;
    if (decision == GLUPY_WOUND && goes_past(self))
        tail(self);
    else if (decision == GLUPY_WOUND)
        arm(self);
    else if (self->as_came)
        unwind_as_came(self);
    else
        self->request->progress.finished = true; /* the answer was filled in when it was decided */
}

/* `result` is what the function returned: any value will do, as with the first glupy. */
static void
take_result(struct glupy_classic_request *self, PyObject *result, const char *fop, const char *ending,
            PyObject *function)
{
    if (result && self->misuse) {
        PyErr_SetRaisedException(self->misuse);
        self->misuse = NULL;
        Py_CLEAR(result);
    } else if (result && self->decision == GLUPY_UNDECIDED) {
        raise_undecided(self, fop, ending, function);
        Py_CLEAR(result);
    }
    if (result)
        carry_on(self);
    else
        fail(self);
    Py_XDECREF(result);
}

/* The beginning. */

/* Empty memory for one, or NULL. */
static struct glupy_classic_request *
take_memory(struct glupy_classic_state *state)
{
    struct glupy_classic_request *self = state->spare_requests;

    if (!self)
        return calloc(1, sizeof(*self));
    state->spare_requests = self->next_spare;
    state->nspare_requests--;
    memset(self, 0, sizeof(*self));
    return self;
}

static void
give_memory(struct glupy_classic_state *state, struct glupy_classic_request *self)
{
#if GLUPY_CLASSIC_SPARE_REQUESTS
    if (state->nspare_requests < GLUPY_CLASSIC_SPARE_REQUESTS) {
        self->next_spare = state->spare_requests;
        state->spare_requests = self;
        state->nspare_requests++;
        return;
    }
#else
    (void)state;
#endif
    free(self);
}

static struct glupy_classic_request *
request_new(struct glupy_request *request, const void *passed)
{
    struct glupy_classic_state *state = state_of(request);
    struct glupy_classic_request *self = take_memory(state);

    if (!self) {
        PyErr_NoMemory();
        return NULL;
    }
    self->request = request;
    if (!glupy_pointer_new(state, GLUPY_CLASSIC_FRAME, request->frame, &self->frame)) {
        give_memory(state, self);
        return NULL;
    }
    self->id = ++state->last_id;
    self->callers = true;
    memcpy(&self->args, passed, request->fop->args_passed_size);
    glupy_classic_register(state, self);
    return self;
}

/* Call the script's fop function, and take what it decided. */
static void
classic_start(struct glupy_request *request, const void *passed)
{
    PyObject *function = request->instance->handlers.methods[request->fop->index];
    struct glupy_classic_request *self = request->flavoured = request_new(request, passed);

    if (!self) {
        request->progress.exception = PyErr_GetRaisedException();
        request->progress.finished = true;
    } else if (function != Py_None) {
        take_result(self, call_fop(self, function), request->fop->name, "fop", function);
    } else if (glupy_classic_decide_as_came(self)) {
        carry_on(self); /* a callback alone: what it is the callback of is wound as it came */
    } else {
        fail(self);
    }
}

/* Replies. */

static void
put_by(struct glupy_classic_request *self)
{
    struct glupy_given *given = self->reply_given;

    self->reply_given = NULL;
    if (!self->reply || !keeps_reply(self)) {
        glupy_given_free(state_of(self->request), given);
        return;
    }
    if (!self->replies)
        self->replies = PyList_New(0);
    if (!self->replies || PyList_Append(self->replies, (PyObject *)self->reply) != 0)
        PyErr_Clear();
    if (given) {
        given->next = self->earlier;
        self->earlier = given;
    }
}

static void
take_reply(struct glupy_classic_request *self, struct glupy_wind *wind)
{
    put_by(self);
    Py_XSETREF(self->reply, wind->reply);
    wind->reply = NULL;
    self->reply->fop->lend(self->reply->held, &self->reply_passed);
}

/* A reply has come: by the request's runner, attached. */
static void
landed(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct glupy_wind *wind = (struct glupy_wind *)base;
    struct glupy_classic_request *self = glupy_classic_request_of(request);
    PyObject *callback = glupy_classic_of(request->instance)->callbacks[wind->fop->index];

    request->out.winds--;
    glupy_classic_drop_held(self);
    take_reply(self, wind);
    if (callback)
        take_result(self, call_callback(self, callback), wind->fop->name, "cbk", callback);
    else
        unwind_as_came(self);
}

const struct glupy_awaitable_ops glupy_classic_wind_ops = {.name = "wind", .landed = landed};

/* The end. */

/* What the arguments point to is copied. */
static void
classic_own(struct glupy_request *request)
{
    struct glupy_classic_request *self = glupy_classic_request_of(request);
    union glupy_any_args was;

    if (!self || !self->callers)
        return;
    was = self->args;
    self->callers = false;
    self->held_args = calloc(1, request->fop->args_held_size);
    if (!self->held_args ||
        glupy_fields_hold(request->fop->args, request->fop->nargs, self->held_args, &self->args) != 0) {
        free(self->held_args);
        self->held_args = NULL;
        memset(&self->args, 0, sizeof(self->args)); /* NULL is safe: decide refuses it */
    } else {
        glupy_fields_lend(request->fop->args, request->fop->nargs, self->held_args, &self->args);
    }
    if (self->args_given)
        glupy_given_moved(self->args_given, &was, &self->args);
}

static void
discard(const struct glupy_field *fields, unsigned n, void *held)
{
    for (unsigned i = 0; i < n; i++)
        fields[i].kind->discard(glupy_held(&fields[i], held));
}

void
glupy_classic_drop_held(struct glupy_classic_request *self)
{
    for (unsigned i = 0; self->held && i < self->held_fop->nargs; i++)
        if (self->held_fields & 1u << i)
            self->held_fop->args[i].kind->discard(glupy_held(&self->held_fop->args[i], self->held));
    free(self->held);
    self->held = NULL;
    self->held_fields = 0;
}

void
glupy_classic_undecide(struct glupy_classic_request *self)
{
    const struct glupy_fop *fop = self->request->fop;

    if (self->decision == GLUPY_WOUND) {
        self->wind->base.stage = GLUPY_DONE; /* no forgotten await */
        Py_CLEAR(self->wind);
        glupy_classic_drop_held(self);
    } else if (self->decision == GLUPY_UNWOUND && !self->as_came) {
        discard(fop->reply, fop->nreply, &self->request->answer->held);
    }
    self->decision = GLUPY_UNDECIDED;
}

static void
free_given(struct glupy_classic_request *self)
{
    struct glupy_classic_state *state = state_of(self->request);
    struct glupy_given *next;

    glupy_given_free(state, self->args_given);
    glupy_given_free(state, self->reply_given);
    for (struct glupy_given *given = self->earlier; given; given = next) {
        next = given->next;
        glupy_given_free(state, given);
    }
}

/* The request's frame and all pointers that the script has kept become invalid. */
static void
classic_free(struct glupy_request *request)
{
    struct glupy_classic_request *self = glupy_classic_request_of(request);
    struct glupy_classic_state *state = state_of(request);

    if (!self)
        return;
    request->flavoured = NULL;
    list_del(&self->link);
    for (unsigned i = 0; i < self->nkept; i++)
        glupy_pointer_end(state, &self->kept[i].pointer);
    free(self->kept);
    glupy_pointer_end(state, &self->frame);
    glupy_classic_drop_held(self);
    free_given(self);
    if (self->held_args)
        discard(request->fop->args, request->fop->nargs, self->held_args);
    free(self->held_args);
    Py_XDECREF(self->misuse);
    Py_XDECREF(self->reply);
    Py_XDECREF(self->replies);
    give_memory(state, self);
}

/* Instances. */

static int
take_callbacks(struct glupy_instance *instance, PyObject *callbacks)
{
    struct glupy_classic *classic = calloc(1, sizeof(*classic));

    if (!classic) {
        PyErr_NoMemory();
        return -1;
    }
    classic->this = instance->this;
    list_add(&classic->link, &instance->state->classic->instances);
    instance->flavoured = classic;
    instance->flavour = &glupy_classic_flavour;
    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++)
        classic->callbacks[i] = Py_XNewRef(PyDict_GetItemString(callbacks, glupy_fops[i].name));
    return glupy_pointer_new(instance->state->classic, GLUPY_CLASSIC_XLATOR, instance->this, &classic->this_pointer)
               ? 0
               : -1;
}

static int
classic_adopt(struct glupy_instance *instance)
{
    PyObject *callbacks = PyObject_GetAttrString(instance->translator, "_classic_callbacks");
    int adopted = 0;

    if (!callbacks)
        PyErr_Clear();
    else if (callbacks != Py_None)
        adopted = take_callbacks(instance, callbacks) == 0 ? 1 : -1;
    Py_XDECREF(callbacks);
    return adopted;
}

static void
classic_let_go(struct glupy_instance *instance)
{
    struct glupy_classic *classic = glupy_classic_of(instance);

    if (!classic)
        return;
    instance->flavoured = NULL;
    list_del(&classic->link);
    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++)
        Py_XDECREF(classic->callbacks[i]);
    glupy_pointer_end(instance->state->classic, &classic->this_pointer);
    free(classic);
}

/* A request has filled the answer in when its script decided, or failed. Its OSErrors are mistakes as all others: such a
 * script answers with an errno by unwinding. */
static void
classic_answer(struct glupy_answer *answer, struct glupy_request *request, const void *passed)
{
    PyObject *error = request->progress.exception;

    if (request->progress.outcome) { /* it never reached the script */
        glupy_answer_native(answer, request, passed);
    } else if (error) {
        request->progress.exception = NULL;
        PyErr_SetRaisedException(error);
        glupy_answer_mistake(answer, request, passed);
    } else if (answer->how == GLUPY_UNWIND && answer->op_ret >= 0) {
        glupy_answer_complete(answer, request, ~0u);
        glupy_answer_cut(answer, request, !glupy_classic_request_of(request)->as_came);
    }
}

static void *
classic_argument(struct glupy_request *request, unsigned i)
{
    struct glupy_classic_request *self = glupy_classic_request_of(request);

    return self ? glupy_passed_pointer(&request->fop->args[i], &self->args) : NULL;
}

static PyObject *
classic_passed(struct glupy_request *request, unsigned i, void *passed)
{
    struct glupy_classic_request *self = glupy_classic_request_of(request);
    const struct glupy_field *field = &request->fop->args[i];

    if (!self)
        return NULL;
    memcpy(passed, glupy_passed(field, &self->args), field->kind->passed_size);
    return Py_NewRef(Py_None);
}

const struct glupy_flavour glupy_classic_flavour = {
    .adopt = classic_adopt,
    .let_go = classic_let_go,
    .start = classic_start,
    .own = classic_own,
    .argument = classic_argument,
    .passed = classic_passed,
    .answer = classic_answer,
    .free = classic_free,
};

/* What gluster.glupy asks of the core. */

PyObject *
glupy_classic_setup_method(PyObject *module, PyObject *args)
{
    struct glupy_state *state = PyModule_GetState(module);
    struct glupy_classic_state *classic;
    PyObject *types, *text_type, *measure;

    if (!PyArg_ParseTuple(args, "O!OO:_classic_setup", &PyTuple_Type, &types, &text_type, &measure))
        return NULL;
    if (PyTuple_GET_SIZE(types) != GLUPY_CLASSIC_POINTERS)
        return PyErr_Format(PyExc_ValueError, "expected %d types", GLUPY_CLASSIC_POINTERS);
    if (!glupy_can_read()) {
        PyErr_SetString(PyExc_ImportError, "gluster.glupy: a process may not read its own memory by process_vm_readv(2) "
                                           "here, as when seccomp forbids it, and pointers cannot be checked without");
        return NULL;
    }
    if (state->classic)
        Py_RETURN_NONE; /* imported again, by somebody who emptied sys.modules: the first types stay */
    classic = calloc(1, sizeof(*classic));
    if (!classic)
        return PyErr_NoMemory();
    for (unsigned i = 0; i < GLUPY_CLASSIC_POINTERS; i++)
        classic->types[i] = Py_NewRef(PyTuple_GET_ITEM(types, i));
    for (unsigned i = 0; i < GLUPY_CLASSIC_BUCKETS; i++)
        INIT_LIST_HEAD(&classic->frames[i]);
    INIT_LIST_HEAD(&classic->instances);
    classic->text_type = Py_NewRef(text_type);
    classic->measure = Py_NewRef(measure);
    classic->plain = true;
    state->classic = classic;
    return glupy_classic_know(classic) && glupy_pointers_check(classic) ? Py_NewRef(Py_None) : NULL;
}

static int
add_call(PyObject *calls, const char *what, const char *fop, void (*function)(void))
{
    PyObject *name = PyUnicode_FromFormat("%s%s", what, fop), *address = PyLong_FromVoidPtr((void *)function);
    int failed = name && address ? PyDict_SetItem(calls, name, address) : -1;

    Py_XDECREF(name);
    Py_XDECREF(address);
    return failed;
}

PyObject *
glupy_classic_calls_method(PyObject *module, PyObject *unused)
{
    PyObject *calls = PyDict_New();
    int failed = calls ? 0 : -1;

    (void)module;
    (void)unused;
    for (unsigned i = 0; failed == 0 && i < GLUPY_FOP_COUNT; i++) {
        failed = add_call(calls, "wind_", glupy_fops[i].name, glupy_classic_fops[i].wind);
        if (failed == 0)
            failed = add_call(calls, "unwind_", glupy_fops[i].name, glupy_classic_fops[i].unwind);
    }
    if (failed == 0)
        failed = add_call(calls, "get_id", "", (void (*)(void))glupy_classic_get_id);
    if (failed == 0)
        failed = add_call(calls, "get_rootunique", "", (void (*)(void))glupy_classic_get_rootunique);
    if (failed != 0)
        Py_CLEAR(calls);
    return calls;
}

PyObject *
glupy_classic_this_method(PyObject *module, PyObject *instance)
{
    struct glupy_state *state = PyModule_GetState(module);

    if (Py_TYPE(instance) != state->instance_type)
        return PyErr_Format(PyExc_TypeError, "expected Instance, not %s", Py_TYPE(instance)->tp_name);
    return PyLong_FromVoidPtr(((struct glupy_instance *)instance)->this);
}
