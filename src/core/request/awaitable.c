/* The protocol by which coroutines wait, and the Task type. See awaitable.h. */
#include "request/awaitable.h"

#include <stdarg.h>

#include "request/request.h"

bool
glupy_is_awaitable(PyObject *object)
{
    PyAsyncMethods *methods = Py_TYPE(object)->tp_as_async;

    return methods && methods->am_send == glupy_awaitable_send;
}

void
glupy_awaitable_init(struct glupy_awaitable *self, const struct glupy_awaitable_ops *ops)
{
    self->ops = ops;
    self->stage = GLUPY_NEW;
    self->request = NULL;
    self->waiter = NULL;
    self->next = NULL;
    self->depth = 0;
    self->queued = false;
    self->is_accepted = false;
    self->limited = false;
}

PyObject *
glupy_awaitable_await(PyObject *self)
{
    return Py_NewRef(self);
}

void
glupy_cannot_await(const struct glupy_awaitable *self)
{
    PyErr_Format(PyExc_RuntimeError, self->stage == GLUPY_GIVEN_UP ? "this %s was given up"
                                                                   : "this %s is being awaited already", self->ops->name);
}

struct glupy_awaitable *
glupy_awaitable_of(struct glupy_state *state, PyObject *object)
{
    if (glupy_is_awaitable(object))
        return (struct glupy_awaitable *)Py_NewRef(object);
    if (PyCoro_CheckExact(object))
        return (struct glupy_awaitable *)glupy_task_new(state, object);
    if (Py_IS_TYPE(object, state->future_type) || Py_IS_TYPE(object, state->spawned_type))
        return (struct glupy_awaitable *)Py_TYPE(object)->tp_as_async->am_await(object);
    return NULL;
}

void
glupy_accept_too(struct glupy_awaitable *self, struct glupy_awaitable **more)
{
    if (!self->ops->accepted || self->is_accepted)
        return;
    self->is_accepted = true;
    self->next = *more; /* it is done: nobody else needs the link */
    *more = self;
}

/* One after another: gathers may be nested as deep as an author likes. All are kept by the one that was awaited. */
static void
go_on_with(struct glupy_awaitable *self)
{
    struct glupy_awaitable *more = NULL;

    glupy_accept_too(self, &more);
    while (more) {
        struct glupy_awaitable *first = more;

        more = first->next;
        first->next = NULL;
        first->ops->accepted(first, &more);
    }
}

PyObject *
glupy_awaitable_take(struct glupy_awaitable *self)
{
    PyObject *result = self->ops->result(self);

    if (result && self->ops->accepted)
        go_on_with(self);
    return result;
}

/* The first time it is sent to, an awaitable yields itself up to the runner; once done, it returns its result. */
PySendResult
glupy_awaitable_send(PyObject *object, PyObject *value, PyObject **result)
{
    struct glupy_awaitable *self = (struct glupy_awaitable *)object;

    (void)value;
    switch (self->stage) {
        case GLUPY_NEW:
            self->stage = GLUPY_YIELDED;
            *result = Py_NewRef(object);
            return PYGEN_NEXT;
        case GLUPY_DONE:
            *result = glupy_awaitable_take(self);
            return *result ? PYGEN_RETURN : PYGEN_ERROR;
        default:
            glupy_cannot_await(self);
            *result = NULL;
            return PYGEN_ERROR;
    }
}

/* The iterator protocol says the same in another way; tracers and older interpreters use it. */
PyObject *
glupy_awaitable_next(PyObject *self)
{
    PyObject *result;

    switch (glupy_awaitable_send(self, Py_None, &result)) {
        case PYGEN_NEXT:
            return result;
        case PYGEN_RETURN:
            if (result == Py_None) {
                PyErr_SetNone(PyExc_StopIteration);
            } else {
                PyObject *stop = PyObject_CallOneArg(PyExc_StopIteration, result);

                if (stop)
                    PyErr_SetObject(PyExc_StopIteration, stop);
                Py_XDECREF(stop);
            }
            Py_DECREF(result);
            return NULL;
        default:
            return NULL;
    }
}

/* What is waited for, in words */

void
glupy_say(struct glupy_line *line, const char *format, ...)
{
    size_t left = line->room - line->length;
    va_list args;
    int wanted;

    va_start(args, format);
    wanted = vsnprintf(line->text + line->length, left, format, args);
    va_end(args);
    if (wanted > 0)
        line->length += (size_t)wanted < left ? (size_t)wanted : left - 1;
}

#define DEEPEST 4u /* gathers in coroutines in gathers */

void
glupy_describe(struct glupy_line *line, struct glupy_awaitable *awaitable)
{
    if (line->depth == DEEPEST || !awaitable->ops->describe) {
        glupy_say(line, "%s", awaitable->ops->name);
        return;
    }
    line->depth++;
    awaitable->ops->describe(awaitable, line);
    line->depth--;
}

/* Task */

static int
task_arm(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct glupy_task *self = (struct glupy_task *)base;

    base->stage = GLUPY_ARMED;
    self->identity = (struct glupy_identity *)Py_XNewRef(request->identity);
    glupy_queue(request, base);
    return 0;
}

static PyObject *
task_result(struct glupy_awaitable *base)
{
    return glupy_outcome_get(&((struct glupy_task *)base)->outcome);
}

static struct glupy_awaitable *
task_part(struct glupy_awaitable *base, Py_ssize_t i)
{
    return i ? NULL : ((struct glupy_task *)base)->awaits;
}

static void
task_close(struct glupy_awaitable *base, struct glupy_request *request)
{
    glupy_step_close(request, (struct glupy_task *)base);
}

static void
task_heard(struct glupy_awaitable *base, struct glupy_request *request, struct glupy_awaitable *from)
{
    (void)from;
    glupy_queue(request, base);
}

static void
task_proceed(struct glupy_awaitable *base, struct glupy_request *request)
{
    struct glupy_task *self = (struct glupy_task *)base;

    glupy_step_task(request, self);
    if (!self->coroutine) {
        base->stage = GLUPY_DONE;
        glupy_deliver(request, base);
    }
}

static void
task_describe(struct glupy_awaitable *base, struct glupy_line *line)
{
    struct glupy_task *self = (struct glupy_task *)base;

    if (self->awaits)
        glupy_describe(line, self->awaits);
    else
        glupy_say(line, "a coroutine");
}

static const struct glupy_awaitable_ops task_ops = {
    .name = "Task",
    .arm = task_arm,
    .result = task_result,
    .heard = task_heard,
    .proceed = task_proceed,
    .part = task_part,
    .close = task_close,
    .describe = task_describe,
};

static int
task_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct glupy_task *self = (struct glupy_task *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->coroutine);
    Py_VISIT(self->awaits);
    Py_VISIT(self->identity);
    return glupy_outcome_traverse(&self->outcome, visit, arg);
}

static int
task_clear(PyObject *object)
{
    struct glupy_task *self = (struct glupy_task *)object;

    Py_CLEAR(self->coroutine);
    Py_CLEAR(self->awaits);
    Py_CLEAR(self->identity);
    glupy_outcome_clear(&self->outcome);
    return 0;
}

static void
task_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    Py_TRASHCAN_BEGIN(object, task_dealloc)
    task_clear(object);
    Py_XDECREF(((struct glupy_task *)object)->base.waiter);
    type->tp_free(object);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

struct glupy_task *
glupy_task_new(struct glupy_state *state, PyObject *coroutine)
{
    struct glupy_task *self = (struct glupy_task *)state->awaitable_type->tp_alloc(state->awaitable_type, 0);

    if (!self)
        return NULL;
    glupy_awaitable_init(&self->base, &task_ops);
    self->coroutine = Py_XNewRef(coroutine);
    return self;
}

struct glupy_task *
glupy_task_failed(struct glupy_state *state, PyObject *exception)
{
    struct glupy_task *self = glupy_task_new(state, NULL);

    if (!self) {
        Py_DECREF(exception);
        return NULL;
    }
    glupy_outcome_set_exception(&self->outcome, exception);
    self->base.stage = GLUPY_DONE;
    return self;
}

static PyType_Slot task_slots[] = {
    {Py_tp_doc, "A coroutine that runs beside others inside gather()."},
    {Py_tp_dealloc, task_dealloc},
    {Py_tp_traverse, task_traverse},
    {Py_tp_clear, task_clear},
    GLUPY_AWAITABLE_SLOTS,
    {0, NULL},
};

static PyType_Spec task_spec = {
    .name = "glupy._core.Task",
    .basicsize = sizeof(struct glupy_task),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC,
    .slots = task_slots,
};

int
glupy_awaitable_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &task_spec, &state->awaitable_type);
}
