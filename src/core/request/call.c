/* Call: what any_fop is given, one call of whatever fop. It has the fop's name and arguments, which are the request's
 * own wrappers, and can be wound on as it came. It may be kept like any argument: the wrappers are then made the owners
 * of their values, since the request finds that it is not the only one who refers to them. */
#include "request/call.h"

#include "base/compat.h"
#include "python/method.h"
#include "request/child.h"
#include "request/wind.h"
#include "values/types/types.h"

struct glupy_call {
    PyObject_VAR_HEAD
    const struct glupy_fop *fop;
    struct glupy_instance *instance; /* a reference */
    PyObject *args[];                /* as many as the fop has */
};

static struct glupy_call *
call_new(struct glupy_request *request)
{
    const struct glupy_fop *fop = request->fop;
    struct glupy_call *self = PyObject_NewVar(struct glupy_call, request->instance->state->call_type, fop->nargs);

    if (!self)
        return NULL;
    self->fop = fop;
    self->instance = (struct glupy_instance *)Py_NewRef(request->instance);
    for (unsigned i = 0; i < fop->nargs; i++)
        self->args[i] = Py_NewRef(glupy_request_args(request)[i]);
    return self;
}

PyObject *
glupy_call_any(struct glupy_request *request, PyObject *method)
{
    PyObject *args[3] = {NULL, request->argv[1], NULL};

    request->arrival.call = (PyObject *)call_new(request);
    if (!request->arrival.call)
        return NULL;
    args[2] = request->arrival.call;
    return glupy_call_method(method, args, 2);
}

static void
call_dealloc(PyObject *object)
{
    struct glupy_call *self = (struct glupy_call *)object;
    PyTypeObject *type = Py_TYPE(object);

    for (unsigned i = 0; i < self->fop->nargs; i++)
        Py_DECREF(self->args[i]);
    Py_DECREF(self->instance);
    PyObject_Free(object);
    Py_DECREF(type);
}

/* The first argument of a kind, borrowed; NULL where there is none, or where it is None. */
static PyObject *
first_of(PyObject *object, const struct glupy_kind *kind)
{
    struct glupy_call *self = (struct glupy_call *)object;

    for (unsigned i = 0; i < self->fop->nargs; i++)
        if (self->fop->args[i].kind == kind && self->args[i] != Py_None)
            return self->args[i];
    return NULL;
}

static PyObject *
new_or_none(PyObject *object)
{
    return Py_NewRef(object ? object : Py_None);
}

static PyObject *
get_name(PyObject *self, void *unused)
{
    (void)unused;
    return PyUnicode_InternFromString(((struct glupy_call *)self)->fop->name);
}

static PyObject *
get_args(PyObject *object, void *unused)
{
    struct glupy_call *self = (struct glupy_call *)object;
    PyObject *args = PyTuple_New(self->fop->nargs);

    (void)unused;
    for (unsigned i = 0; args && i < self->fop->nargs; i++)
        PyTuple_SET_ITEM(args, i, Py_NewRef(self->args[i]));
    return args;
}

static PyObject *
get_loc(PyObject *self, void *unused)
{
    (void)unused;
    return new_or_none(first_of(self, &glupy_kind_loc));
}

static PyObject *
get_fd(PyObject *self, void *unused)
{
    (void)unused;
    return new_or_none(first_of(self, &glupy_kind_fd));
}

static PyObject *
get_inode(PyObject *self, void *unused)
{
    PyObject *about = first_of(self, &glupy_kind_loc);

    (void)unused;
    if (!about)
        about = first_of(self, &glupy_kind_fd);
    return about ? PyObject_GetAttrString(about, "inode") : Py_NewRef(Py_None);
}

/* A loc knows its gfid also where its inode does not have it yet. */
static PyObject *
get_gfid(PyObject *self, void *unused)
{
    PyObject *about = first_of(self, &glupy_kind_loc), *gfid;

    about = about ? Py_NewRef(about) : get_inode(self, unused);
    if (!about || about == Py_None)
        return about;
    gfid = PyObject_GetAttrString(about, "gfid");
    Py_DECREF(about);
    return gfid;
}

static PyObject *
get_path(PyObject *self, void *unused)
{
    PyObject *loc = first_of(self, &glupy_kind_loc), *inode, *path;

    if (loc) {
        path = PyObject_GetAttrString(loc, "path");
        if (path != Py_None)
            return path;
        Py_DECREF(path);
    }
    inode = get_inode(self, unused);
    if (!inode || inode == Py_None)
        return inode;
    path = PyObject_CallMethod(inode, "path", NULL);
    Py_DECREF(inode);
    if (path || !PyErr_ExceptionMatches(PyExc_OSError))
        return path;
    PyErr_Clear();
    Py_RETURN_NONE;
}

/* By the name that an argument has in docs/fops.md. */

static PyObject *
find(PyObject *object, PyObject *name)
{
    struct glupy_call *self = (struct glupy_call *)object;

    for (unsigned i = 0; PyUnicode_Check(name) && i < self->fop->nargs; i++)
        if (PyUnicode_CompareWithASCIIString(name, self->fop->args[i].name) == 0)
            return self->args[i];
    return NULL;
}

static PyObject *
call_subscript(PyObject *self, PyObject *name)
{
    PyObject *found = find(self, name);

    if (found)
        return Py_NewRef(found);
    return PyErr_Format(PyExc_KeyError, "%s has no argument %R", ((struct glupy_call *)self)->fop->name, name);
}

static Py_ssize_t
call_length(PyObject *self)
{
    return ((struct glupy_call *)self)->fop->nargs;
}

static int
call_contains(PyObject *self, PyObject *name)
{
    return find(self, name) != NULL;
}

static PyObject *
call_get(PyObject *self, PyObject *args)
{
    PyObject *name, *otherwise = Py_None, *found;

    if (!PyArg_ParseTuple(args, "O|O:get", &name, &otherwise))
        return NULL;
    found = find(self, name);
    return Py_NewRef(found ? found : otherwise);
}

static PyObject *
call_keys(PyObject *object, PyObject *unused)
{
    struct glupy_call *self = (struct glupy_call *)object;
    PyObject *names = PyTuple_New(self->fop->nargs);

    (void)unused;
    for (unsigned i = 0; names && i < self->fop->nargs; i++) {
        PyObject *name = PyUnicode_InternFromString(self->fop->args[i].name);

        if (name)
            PyTuple_SET_ITEM(names, i, name);
        else
            Py_CLEAR(names);
    }
    return names;
}

static PyObject *
call_iter(PyObject *self)
{
    PyObject *names = call_keys(self, NULL), *iterator = names ? PyObject_GetIter(names) : NULL;

    Py_XDECREF(names);
    return iterator;
}

/* wind() */

PyDoc_STRVAR(wind_doc, "wind($self, /, *args, child=None, **changes)\n--\n\n"
                       "A wind of the same fop: await it, or return it for a tail wind. With the arguments as they came, but\n"
                       "for those given here, by position or by name (docs/fops.md); to the first child, or to the one given.");

/* The child that a keyword names, or the first; borrowed. NULL with TypeError. */
static PyObject *
child_for(struct glupy_call *self, PyObject *const *values, PyObject *kwnames)
{
    for (Py_ssize_t i = 0; kwnames && i < PyTuple_GET_SIZE(kwnames); i++) {
        PyObject *child = values[i];

        if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(kwnames, i), GLUPY_CHILD_KEYWORD) != 0 ||
            child == Py_None)
            continue;
        if (Py_IS_TYPE(child, self->instance->state->child_type))
            return child;
        PyErr_Format(PyExc_TypeError, "wind(): child: expected Child, not %s", Py_TYPE(child)->tp_name);
        return NULL;
    }
    if (self->instance->children)
        return PyTuple_GET_ITEM(self->instance->children, 0);
    PyErr_SetString(PyExc_ReferenceError, "the graph of this call is gone");
    return NULL;
}

static PyObject *
call_wind(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    struct glupy_call *self = (struct glupy_call *)object;
    PyObject *child = child_for(self, args + nargs, kwnames);

    return child ? glupy_wind_again(child, self->fop, self->args, args, nargs, kwnames) : NULL;
}

static PyObject *
call_repr(PyObject *self)
{
    PyObject *path = get_path(self, NULL), *text;

    if (!path)
        PyErr_Clear();
    text = !path || path == Py_None
               ? PyUnicode_FromFormat("<Call of %s>", ((struct glupy_call *)self)->fop->name)
               : PyUnicode_FromFormat("<Call of %s, %R>", ((struct glupy_call *)self)->fop->name, path);
    Py_XDECREF(path);
    return text;
}

static PyMethodDef call_methods[] = {
    {"wind", _PyCFunction_CAST(call_wind), METH_FASTCALL | METH_KEYWORDS, wind_doc},
    {"get", call_get, METH_VARARGS,
     "get($self, name, default=None, /)\n--\n\nThe argument of that name, or the default where the fop has none."},
    {"keys", call_keys, METH_NOARGS, "keys($self, /)\n--\n\nThe names of the arguments, in order: a tuple of str."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef call_getset[] = {
    {"name", get_name, NULL, "Name of the fop: 'unlink'.", NULL},
    {"args", get_args, NULL, "tuple: the arguments, as a method of the fop's own gets them after frame.", NULL},
    {"loc", get_loc, NULL, "The first Loc among the arguments, or None.", NULL},
    {"fd", get_fd, NULL, "The first Fd among the arguments, or None.", NULL},
    {"inode", get_inode, NULL, "The Inode of the first Loc, or else of the first Fd; None where there is none.", NULL},
    {"gfid", get_gfid, NULL, "The Gfid of the first Loc (null before a file is made), or else of the first Fd, or None.",
     NULL},
    {"path", get_path, NULL,
     "Path of the first Loc, or one by which the inode table knows what the call is about ('<gfid:…>' forms where it\n"
     "knows no name), or None.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot call_slots[] = {
    {Py_tp_doc, "One call of a fop, whichever it is: what any_fop is given. call['offset'] is the argument of that\n"
                "name."},
    {Py_tp_dealloc, call_dealloc},
    {Py_tp_repr, call_repr},
    {Py_tp_iter, call_iter},
    {Py_mp_subscript, call_subscript},
    {Py_mp_length, call_length},
    {Py_sq_contains, call_contains},
    {Py_tp_methods, call_methods},
    {Py_tp_getset, call_getset},
    {0, NULL},
};

static PyType_Spec call_spec = {
    .name = "glupy._core.Call",
    .basicsize = sizeof(struct glupy_call),
    .itemsize = sizeof(PyObject *),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = call_slots,
};

int
glupy_call_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &call_spec, &state->call_type);
}
