/* Child: a subvolume, with one method a fop (generated, calls_gen.c). */
#include "request/child.h"

#include "request/calls.h"
#include "values/types/types.h"

PyObject *
glupy_child_new(struct glupy_instance *instance, xlator_t *xlator)
{
    struct glupy_child *self = PyObject_New(struct glupy_child, instance->state->child_type);

    if (self) {
        self->instance = (struct glupy_instance *)Py_NewRef(instance);
        self->xlator = xlator;
    }
    return (PyObject *)self;
}

xlator_t *
glupy_child_alive(struct glupy_child *self)
{
    if (self->instance->this)
        return self->xlator;
    PyErr_SetString(PyExc_ReferenceError, "the graph of this child is gone");
    return NULL;
}

const char *
glupy_child_name(struct glupy_child *self)
{
    return self->instance->this ? self->xlator->name : "(gone)";
}

PyObject *
glupy_children_of(struct glupy_instance *instance, xlator_t *xlator)
{
    Py_ssize_t n = 0, i = 0;
    PyObject *children;

    for (xlator_list_t *child = xlator->children; child; child = child->next)
        n++;
    children = PyTuple_New(n);
    for (xlator_list_t *child = xlator->children; children && child; child = child->next) {
        PyObject *object = glupy_child_new(instance, child->xlator);

        if (object)
            PyTuple_SET_ITEM(children, i++, object);
        else
            Py_CLEAR(children);
    }
    return children;
}

static void
child_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    Py_DECREF(((struct glupy_child *)object)->instance);
    PyObject_Free(object);
    Py_DECREF(type);
}

static PyObject *
get_name(PyObject *self, void *unused)
{
    xlator_t *xlator = glupy_child_alive((struct glupy_child *)self);

    (void)unused;
    return xlator ? glupy_text(xlator->name) : NULL;
}

static PyObject *
get_type(PyObject *self, void *unused)
{
    xlator_t *xlator = glupy_child_alive((struct glupy_child *)self);

    (void)unused;
    return xlator ? glupy_text(xlator->type) : NULL;
}

static PyObject *
get_children(PyObject *self, void *unused)
{
    xlator_t *xlator = glupy_child_alive((struct glupy_child *)self);

    (void)unused;
    return xlator ? glupy_children_of(((struct glupy_child *)self)->instance, xlator) : NULL;
}

static PyObject *
get_options(PyObject *self, void *unused)
{
    xlator_t *xlator = glupy_child_alive((struct glupy_child *)self);

    (void)unused;
    return xlator ? glupy_options_of(xlator->options) : NULL;
}

static PyObject *
child_repr(PyObject *object)
{
    return PyUnicode_FromFormat("<Child %s>", glupy_child_name((struct glupy_child *)object));
}

static PyGetSetDef child_getset[] = {
    {"name", get_name, NULL, "Name of the volume in the volfile.", NULL},
    {"type", get_type, NULL, "Type in the volfile: 'storage/posix'.", NULL},
    {"children", get_children, NULL, "tuple of Child: the child's own.", NULL},
    {"options", get_options, NULL,
     "dict of str: a copy of its options, as text, as the volfile gave them when the graph was built.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot child_slots[] = {
    {Py_tp_doc, "A translator below this one. Its methods are the fops; each gives a wind, to be awaited or returned."},
    {Py_tp_dealloc, child_dealloc},
    {Py_tp_repr, child_repr},
    {Py_tp_methods, glupy_child_methods},
    {Py_tp_getset, child_getset},
    {0, NULL},
};

static PyType_Spec child_spec = {
    .name = "glupy._core.Child",
    .basicsize = sizeof(struct glupy_child),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = child_slots,
};

int
glupy_child_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &child_spec, &state->child_type);
}
