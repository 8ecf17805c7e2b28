/* Semaphore: so many at a time. See turns.h for the line of those who wait. */
#include "request/semaphore.h"

#include "base/compat.h"
#include "request/turns.h"

struct semaphore {
    struct glupy_turns turns;
    Py_ssize_t value; /* how many may go on at once, from now */
};

static bool
semaphore_take(PyObject *owner, struct glupy_request *request)
{
    struct semaphore *self = (struct semaphore *)owner;

    (void)request;
    if (!self->value)
        return false;
    self->value--;
    return true;
}

static void
semaphore_give(PyObject *owner)
{
    struct semaphore *self = (struct semaphore *)owner;

    if (!glupy_turns_pass(owner))
        self->value++;
}

static void
semaphore_describe(PyObject *owner, struct glupy_line *line)
{
    glupy_turns_say(owner, line, "Semaphore");
}

static const struct glupy_turns_ops semaphore_ops = {
    .take = semaphore_take,
    .give = semaphore_give,
    .describe = semaphore_describe,
};

static PyObject *
semaphore_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"value", "name", NULL};
    PyObject *name = NULL, *self;
    Py_ssize_t value = 1;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|nO:Semaphore", names, &value, &name))
        return NULL;
    if (value < 0)
        return PyErr_Format(PyExc_ValueError, "Semaphore(): expected a value of 0 or more, not %zd", value);
    self = glupy_turns_new(type, &semaphore_ops, name);
    if (self)
        ((struct semaphore *)self)->value = value;
    return self;
}

static PyObject *
release(PyObject *self, PyObject *unused)
{
    (void)unused;
    semaphore_give(self);
    Py_RETURN_NONE;
}

static PyObject *
leave(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    (void)args;
    (void)nargs;
    semaphore_give(self);
    return glupy_nothing(glupy_state_of(self));
}

static PyObject *
get_value(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromSsize_t(((struct semaphore *)self)->value);
}

static PyObject *
semaphore_repr(PyObject *object)
{
    struct semaphore *self = (struct semaphore *)object;

    return PyUnicode_FromFormat("<Semaphore%s%V, %zd>", self->turns.name ? " " : "", self->turns.name, "", self->value);
}

static PyMethodDef methods[] = {
    {"acquire", glupy_turns_acquire, METH_NOARGS,
     "acquire($self, /)\n--\n\nAwaited: the value is one less; where it is 0, when others have called release(), in "
     "the order they\n"
     "came."},
    {"try_acquire", glupy_turns_try_acquire, METH_NOARGS,
     "try_acquire($self, /)\n--\n\nTake one if there is one and nobody waits for it; whether you have it now."},
    {"release", release, METH_NOARGS,
     "release($self, /)\n--\n\nThe first of those who wait goes on, or the value is one more. Any thread, also of "
     "those that did not\n"
     "acquire it."},
    {"__aenter__", glupy_turns_enter, METH_NOARGS, NULL},
    {"__aexit__", _PyCFunction_CAST(leave), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"value", get_value, NULL, "int: how many could go on at once, now.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Semaphore(value=1, name='')\n--\n\nSo many requests and tasks at a time: `async with semaphore:`. "
                "First come, first served. A\n"
                "request that is cancelled while it waits leaves the line, and its turn is the next one's. It belongs "
                "to one\n"
                "interpreter. The name is shown where a request waits for it (statedump). ValueError for a value "
                "below 0."},
    {Py_tp_new, semaphore_new},
    {Py_tp_dealloc, glupy_turns_free},
    {Py_tp_repr, semaphore_repr},
    {Py_tp_methods, methods},
    {Py_tp_getset, getset},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "glupy._core.Semaphore",
    .basicsize = sizeof(struct semaphore),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int
glupy_semaphore_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &spec, &state->semaphore_type);
}
