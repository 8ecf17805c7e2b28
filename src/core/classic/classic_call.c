/* dl.wind_X and dl.unwind_X: ctypes functions with a short way past ctypes.
 *
 * Each stands for a ctypes function, which has the prototype, converts what can be converted, and raises for what cannot.
 * But a call by way of ctypes and libffi costs several times all else that glupy does for a classic fop. So when the
 * arguments are of the very types that the prototype names, as they are in every script that passes on what it was given,
 * they are taken as they are; in any other case, and once a script has changed argtypes, ctypes is called. */
#include "classic/classic.h"

#include <structmember.h>

#include "base/compat.h"

struct glupy_classic_call {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *function; /* the ctypes function */
    const struct glupy_fop *fop;
    bool unwinds;
    uint8_t vector; /* where among the arguments an iovec stands, and behind it their count; 0: nowhere */
    bool changed; /* the script has set an attribute of the function's */
};

/* A pointer object's pointer. Where it stands, ctypes tells by the buffer protocol, and keeps in the first word after an
 * object's head; setup has compared the two (glupy_pointer_new). */
static void *
pointer_of(PyObject *object)
{
    void ***slot = (void ***)((char *)object + sizeof(PyObject));

    return **slot;
}

static bool
take_pointer(struct glupy_classic_state *state, enum glupy_classic_type type, PyObject *object, void **to)
{
    if (object == Py_None)
        *to = NULL;
    else if (Py_TYPE(object) == (PyTypeObject *)state->types[type])
        *to = pointer_of(object);
    else
        return false;
    return true;
}

static bool
take_int32(PyObject *object, int32_t *to)
{
    int overflow;
    long long value = PyLong_CheckExact(object) ? PyLong_AsLongLongAndOverflow(object, &overflow) : (overflow = 1, 0);

    *to = (int32_t)value;
    return !overflow && value == (int32_t)value;
}

static bool
take_uint32(PyObject *object, uint32_t *to)
{
    int overflow;
    long long value = PyLong_CheckExact(object) ? PyLong_AsLongLongAndOverflow(object, &overflow) : (overflow = 1, 0);

    *to = (uint32_t)value;
    return !overflow && value == (uint32_t)value;
}

static bool
take_int64(PyObject *object, int64_t *to)
{
    int overflow;

    *to = PyLong_CheckExact(object) ? PyLong_AsLongLongAndOverflow(object, &overflow) : (overflow = 1, 0);
    return !overflow;
}

static bool
take_text(PyObject *object, const char **to)
{
    if (object == Py_None)
        *to = NULL;
    else if (PyBytes_Check(object))
        *to = PyBytes_AS_STRING(object);
    else
        return false;
    return true;
}

static bool
take(struct glupy_classic_state *state, const struct glupy_classic_param *param, PyObject *object, void *passed)
{
    void *to = (char *)passed + param->passed;

    switch (param->type) {
        case GLUPY_CLASSIC_INT32:
            return take_int32(object, to);
        case GLUPY_CLASSIC_UINT32:
            return take_uint32(object, to);
        case GLUPY_CLASSIC_INT64:
            return take_int64(object, to);
        case GLUPY_CLASSIC_UINT64: /* sizes and device numbers above 2**63 go by ctypes */
            return take_int64(object, to) && *(int64_t *)to >= 0;
        case GLUPY_CLASSIC_STRING:
            return take_text(object, to);
        case GLUPY_CLASSIC_OPAQUE:
            return false;
        default:
            return take_pointer(state, param->type, object, to);
    }
}

/* The request whose function runs on this thread, if its frame is what was given; else NULL. */
static struct glupy_classic_request *
own_request(PyObject *frame)
{
    struct glupy_thread *thread = glupy_thread_if_any();
    struct glupy_request *request = thread ? thread->stepping : NULL;
    struct glupy_classic_request *self = request ? glupy_classic_request_of(request) : NULL;

    return self && self->frame.object == frame && *self->frame.slot == request->frame ? self : NULL;
}

static bool
take_all(struct glupy_classic_state *state, const struct glupy_classic_param *params, unsigned n, PyObject *const *args,
         void *passed)
{
    for (unsigned i = 0; i < n; i++)
        if (!take(state, &params[i], args[i], passed))
            return false;
    return true;
}

/* False: ctypes has to look at it. */
static bool
short_wind(struct glupy_classic_call *self, struct glupy_classic_state *state, PyObject *const *args, size_t nargs)
{
    const struct glupy_classic_fop *fop = &glupy_classic_fops[self->fop->index];
    struct glupy_classic_request *request = nargs == 2u + fop->nparams ? own_request(args[0]) : NULL;
    union glupy_any_args passed;
    void *child;

    if (!request || !take_pointer(state, GLUPY_CLASSIC_XLATOR, args[1], &child) ||
        !take_all(state, fop->params, fop->nparams, args + 2, &passed))
        return false;
    glupy_classic_wind_sound(request, child, self->fop, &passed);
    return true;
}

static bool
short_unwind(struct glupy_classic_call *self, struct glupy_classic_state *state, PyObject *const *args, size_t nargs)
{
    const struct glupy_classic_fop *fop = &glupy_classic_fops[self->fop->index];
    struct glupy_classic_request *request = nargs == 5u + fop->ncbk_params ? own_request(args[0]) : NULL;
    union glupy_any_reply passed;
    int32_t op_ret, op_errno;
    int64_t cookie;
    void *this;

    if (!request || !take_int64(args[1], &cookie) || !take_pointer(state, GLUPY_CLASSIC_XLATOR, args[2], &this) ||
        !take_int32(args[3], &op_ret) || !take_int32(args[4], &op_errno) ||
        !take_all(state, fop->cbk_params, fop->ncbk_params, args + 5, &passed))
        return false;
    glupy_classic_unwind_sound(request, self->fop, op_ret, op_errno, &passed);
    return true;
}

/* The iovecs that the script was given: their number, or 0: these are its own. */
static size_t
given_pieces(struct glupy_classic_state *state, PyObject *object)
{
    struct glupy_thread *thread = glupy_thread_if_any();
    struct glupy_classic_request *request = thread && thread->stepping ? glupy_classic_request_of(thread->stepping) : NULL;
    void *vector;

    if (!request || !state->plain || !take_pointer(state, GLUPY_CLASSIC_IOVEC, object, &vector) || !vector)
        return 0;
    if (request->args_given && request->args_given->more == vector)
        return request->args_given->nmore;
    return request->reply_given && request->reply_given->more == vector ? request->reply_given->nmore : 0;
}

/* A vector is an array, and its count another argument: are there as many? False with an exception. Of pointers that the
 * script made out of numbers nobody knows. */
static bool
fits_count(struct glupy_classic_call *self, struct glupy_classic_state *state, PyObject *const *args, size_t nargs)
{
    PyObject *name, *result = NULL;
    size_t pieces;
    int32_t count;

    if (!self->vector || nargs < self->vector + 2u || !take_int32(args[self->vector + 1], &count) || count <= 0 ||
        args[self->vector] == Py_None)
        return true;
    pieces = given_pieces(state, args[self->vector]);
    if ((size_t)count <= pieces)
        return true;
    name = PyUnicode_FromFormat("%swind_%s", self->unwinds ? "un" : "", self->fop->name);
    if (name && pieces)
        PyErr_Format(PyExc_ValueError, "%U: count is %d, but vector has %zu", name, (int)count, pieces);
    else if (name)
        result = PyObject_CallFunction(state->measure, "OOi", name, args[self->vector], (int)count);
    Py_XDECREF(name);
    Py_XDECREF(result);
    return result;
}

static PyObject *
call(PyObject *object, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    struct glupy_classic_call *self = (struct glupy_classic_call *)object;
    struct glupy_classic_state *state = glupy_state_of(object)->classic;
    size_t nargs = (size_t)PyVectorcall_NARGS(nargsf);

    if (!fits_count(self, state, args, nargs))
        return NULL;
    if (self->changed || !state->plain || (kwnames && PyTuple_GET_SIZE(kwnames) > 0) ||
        !(self->unwinds ? short_unwind(self, state, args, nargs) : short_wind(self, state, args, nargs)))
        return PyObject_Vectorcall(self->function, args, nargsf, kwnames);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static PyObject *
get_attribute(PyObject *object, PyObject *name)
{
    PyObject *value = PyObject_GenericGetAttr(object, name);

    if (value || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return value;
    PyErr_Clear();
    return PyObject_GetAttr(((struct glupy_classic_call *)object)->function, name);
}

static int
set_attribute(PyObject *object, PyObject *name, PyObject *value)
{
    struct glupy_classic_call *self = (struct glupy_classic_call *)object;

    self->changed = true;
    return PyObject_SetAttr(self->function, name, value);
}

static PyObject *
repr(PyObject *object)
{
    struct glupy_classic_call *self = (struct glupy_classic_call *)object;

    return PyUnicode_FromFormat("<dl.%s_%s>", self->unwinds ? "unwind" : "wind", self->fop->name);
}

static void
dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    Py_XDECREF(((struct glupy_classic_call *)object)->function);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(struct glupy_classic_call, vectorcall), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot call_slots[] = {
    {Py_tp_doc, "A function of gluster.glupy's dl that decides how a fop goes on."},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_dealloc, dealloc},
    {Py_tp_repr, repr},
    {Py_tp_getattro, get_attribute},
    {Py_tp_setattro, set_attribute},
    {Py_tp_members, members},
    {0, NULL},
};

static PyType_Spec call_spec = {
    .name = "glupy._core._ClassicCall",
    .basicsize = sizeof(struct glupy_classic_call),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = call_slots,
};

int
glupy_classic_call_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &call_spec, &state->classic_call_type);
}

static uint8_t
vector_of(const struct glupy_classic_fop *fop, bool unwinds)
{
    const struct glupy_classic_param *params = unwinds ? fop->cbk_params : fop->params;
    unsigned n = unwinds ? fop->ncbk_params : fop->nparams, first = unwinds ? 5 : 2;

    for (unsigned i = 0; i < n; i++)
        if (params[i].type == GLUPY_CLASSIC_IOVEC)
            return (uint8_t)(first + i);
    return 0;
}

PyObject *
glupy_classic_call_method(PyObject *module, PyObject *args)
{
    struct glupy_state *state = PyModule_GetState(module);
    struct glupy_classic_call *self;
    const char *name;
    PyObject *function;
    int unwinds;

    if (!PyArg_ParseTuple(args, "spO:_classic_call", &name, &unwinds, &function))
        return NULL;
    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++) {
        if (strcmp(glupy_fops[i].name, name) != 0)
            continue;
        self = (struct glupy_classic_call *)state->classic_call_type->tp_alloc(state->classic_call_type, 0);
        if (!self)
            return NULL;
        self->vectorcall = call;
        self->function = Py_NewRef(function);
        self->fop = &glupy_fops[i];
        self->unwinds = unwinds;
        self->vector = vector_of(&glupy_classic_fops[i], unwinds);
        return (PyObject *)self;
    }
    return PyErr_Format(PyExc_ValueError, "no fop %s", name);
}
