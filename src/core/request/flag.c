/* Flag: something that has happened, or not yet. See turns.h for the line of those who wait: all go on at once. */
#include "request/flag.h"

#include "base/compat.h"
#include "request/turns.h"

struct flag {
    struct glupy_turns turns;
    bool set;
};

static bool
flag_take(PyObject *owner, struct glupy_request *request)
{
    (void)request;
    return ((struct flag *)owner)->set;
}

static void
flag_describe(PyObject *owner, struct glupy_line *line)
{
    glupy_turns_say(owner, line, "Flag");
}

static const struct glupy_turns_ops flag_ops = {.take = flag_take, .describe = flag_describe};

static PyObject *
flag_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"name", NULL};
    PyObject *name = NULL;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Flag", names, &name))
        return NULL;
    return glupy_turns_new(type, &flag_ops, name);
}

static PyObject *
set(PyObject *object, PyObject *unused)
{
    struct flag *self = (struct flag *)object;

    (void)unused;
    self->set = true;
    while (glupy_turns_pass(object))
        continue;
    Py_RETURN_NONE;
}

static PyObject *
clear(PyObject *self, PyObject *unused)
{
    (void)unused;
    ((struct flag *)self)->set = false;
    Py_RETURN_NONE;
}

static PyObject *
is_set(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct flag *)self)->set);
}

static PyObject *
flag_repr(PyObject *object)
{
    struct flag *self = (struct flag *)object;

    return PyUnicode_FromFormat("<Flag%s%V, %s>", self->turns.name ? " " : "", self->turns.name, "",
                                self->set ? "set" : "not set");
}

static PyMethodDef methods[] = {
    {"set", set, METH_NOARGS,
     "set($self, /)\n--\n\nIt has happened: all who wait go on, and nobody waits any more. Any thread; a second time "
     "changes nothing."},
    {"clear", clear, METH_NOARGS,
     "clear($self, /)\n--\n\nFrom now on who waits waits for the next set(). Who waited before the last one goes on "
     "all the same."},
    {"is_set", is_set, METH_NOARGS, "is_set($self, /)\n--\n\nHas it happened?"},
    {"wait", glupy_turns_acquire, METH_NOARGS, "wait($self, /)\n--\n\nAwaited: it has happened, by set(). At once where it "
     "has already."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Flag(name='')\n--\n\nSomething that has happened, or not yet; at first it has not. Any number of "
                "requests and tasks wait\n"
                "for it. (asyncio and threading call this an Event; here, an Event is one of GlusterFS's.) It belongs "
                "to one\n"
                "interpreter. The name is shown where a request waits for it (statedump)."},
    {Py_tp_new, flag_new},
    {Py_tp_dealloc, glupy_turns_free},
    {Py_tp_repr, flag_repr},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "glupy._core.Flag",
    .basicsize = sizeof(struct flag),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int
glupy_flag_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &spec, &state->flag_type);
}
