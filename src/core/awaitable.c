/* The protocol by which coroutines wait, and the Task type. See awaitable.h. */
#include "awaitable.h"

#include <stdarg.h>

#include "request.h"

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
}

PyObject *
glupy_awaitable_await(PyObject *self)
{
    return Py_NewRef(self);
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
            *result = self->ops->result(self);
            return *result ? PYGEN_RETURN : PYGEN_ERROR;
        default:
            PyErr_Format(PyExc_RuntimeError, "this %s is being awaited already", self->ops->name);
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
    glupy_step(request, self);
    return self->coroutine == NULL;
}

static PyObject *
task_result(struct glupy_awaitable *base)
{
    struct glupy_task *self = (struct glupy_task *)base;

    if (self->value)
        return Py_NewRef(self->value);
    PyErr_SetObject((PyObject *)Py_TYPE(self->exception), self->exception);
    return NULL;
}

static void
task_heard(struct glupy_awaitable *base, struct glupy_request *request, struct glupy_awaitable *from)
{
    struct glupy_task *self = (struct glupy_task *)base;

    (void)from;
    glupy_step(request, self);
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
    .describe = task_describe,
};

static int
task_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct glupy_task *self = (struct glupy_task *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->coroutine);
    Py_VISIT(self->awaits);
    Py_VISIT(self->value);
    Py_VISIT(self->exception);
    Py_VISIT(self->identity);
    return 0;
}

static int
task_clear(PyObject *object)
{
    struct glupy_task *self = (struct glupy_task *)object;

    Py_CLEAR(self->coroutine);
    Py_CLEAR(self->awaits);
    Py_CLEAR(self->value);
    Py_CLEAR(self->exception);
    Py_CLEAR(self->identity);
    return 0;
}

static void
task_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    task_clear(object);
    Py_XDECREF(((struct glupy_task *)object)->base.waiter);
    type->tp_free(object);
    Py_DECREF(type);
}

struct glupy_task *
glupy_task_new(struct glupy_state *state, PyObject *coroutine)
{
    struct glupy_task *self = (struct glupy_task *)state->awaitable_type->tp_alloc(state->awaitable_type, 0);

    if (!self)
        return NULL;
    glupy_awaitable_init(&self->base, &task_ops);
    self->coroutine = Py_NewRef(coroutine);
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
