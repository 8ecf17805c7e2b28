/* dl: libglusterfs as ctypes has it (a CDLL), with the operations of the translator API on top.
 *
 * The class CDLL has a __getattr__, so that whatever is read of one takes the long way, by functions of Python's if need be: some
 * 440 instructions for dl.wind_X. Here the CDLL's own dict is looked into first, which has all names of ours, what a script sets, and
 * what the CDLL was asked for before. */
#include "classic/classic.h"

struct library {
    PyObject_HEAD
    PyObject *library; /* the CDLL */
    PyObject *names;   /* its __dict__ */
};

static PyObject *
get_attribute(PyObject *object, PyObject *name)
{
    struct library *self = (struct library *)object;
    PyObject *value = PyDict_GetItemWithError(self->names, name);

    if (value || PyErr_Occurred())
        return Py_XNewRef(value);
    value = PyObject_GenericGetAttr(object, name);
    if (value || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return value;
    PyErr_Clear();
    return PyObject_GetAttr(self->library, name);
}

static int
set_attribute(PyObject *object, PyObject *name, PyObject *value)
{
    return PyObject_SetAttr(((struct library *)object)->library, name, value);
}

/* A function of its own, as a CDLL gives one. */
static PyObject *
get_item(PyObject *object, PyObject *name)
{
    return PyObject_GetItem(((struct library *)object)->library, name);
}

static PyObject *
repr(PyObject *object)
{
    return PyObject_Repr(((struct library *)object)->library);
}

static PyObject *
get_dict(PyObject *object, void *unused)
{
    (void)unused;
    return Py_NewRef(((struct library *)object)->names);
}

/* isinstance(dl, CDLL) */
static PyObject *
get_class(PyObject *object, void *unused)
{
    (void)unused;
    return Py_NewRef(Py_TYPE(((struct library *)object)->library));
}

static int
traverse(PyObject *object, visitproc visit, void *arg)
{
    struct library *self = (struct library *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->names);
    Py_VISIT(self->library);
    return 0;
}

static void
dealloc(PyObject *object)
{
    struct library *self = (struct library *)object;
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    Py_XDECREF(self->names);
    Py_XDECREF(self->library);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyGetSetDef getset[] = {
    {"__dict__", get_dict, NULL, NULL, NULL},
    {"__class__", get_class, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "libglusterfs, with the operations of the translator API on top: dl."},
    {Py_tp_dealloc, dealloc},
    {Py_tp_traverse, traverse},
    {Py_tp_getattro, get_attribute},
    {Py_tp_setattro, set_attribute},
    {Py_mp_subscript, get_item},
    {Py_tp_repr, repr},
    {Py_tp_getset, getset},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "glupy._core._ClassicLibrary",
    .basicsize = sizeof(struct library),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

/* There is one, which has the type to itself. */
PyObject *
glupy_classic_library_method(PyObject *module, PyObject *cdll)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    PyObject *object = type ? type->tp_alloc(type, 0) : NULL;
    struct library *self = (struct library *)object;

    Py_XDECREF(type); /* it is the object's */
    if (!self)
        return NULL;
    self->library = Py_NewRef(cdll);
    self->names = PyObject_GetAttrString(cdll, "__dict__");
    if (!self->names)
        Py_CLEAR(object);
    return object;
}
