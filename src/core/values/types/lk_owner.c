/* LkOwner: gf_lkowner_t, who holds or asks for a lock. The structure has room for 1 KiB and usually uses 8 bytes; only
 * the used ones are copied and compared. */
#include "values/types/structs.h"

static const gf_lkowner_t *
lk_owner_of(PyObject *self)
{
    return &((struct glupy_lk_owner *)self)->owner;
}

void
glupy_lk_owner_copy(gf_lkowner_t *to, const gf_lkowner_t *from)
{
    int length = from->len;
    if (length < 0)
        length = 0;
    if (length > GF_MAX_LOCK_OWNER_LEN)
        length = GF_MAX_LOCK_OWNER_LEN;
    memcpy(to->data, from->data, (size_t)length);
    to->len = length;
}

PyObject *
glupy_lk_owner_new(struct glupy_state *state, const gf_lkowner_t *owner)
{
    struct glupy_lk_owner *self = PyObject_New(struct glupy_lk_owner, state->lk_owner_type);
    if (self)
        glupy_lk_owner_copy(&self->owner, owner);
    return (PyObject *)self;
}

/* As a client makes one of a number, such as the address of a frame: 8 bytes, the lowest first. */
static int
lk_owner_from_number(PyObject *value, gf_lkowner_t *owner)
{
    unsigned long long number = PyLong_AsUnsignedLongLong(value);

    if (number == (unsigned long long)-1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError))
            PyErr_Format(PyExc_OverflowError, "a lock owner's number is from 0 to 2**64 - 1, not %R", value);
        return -1;
    }
    set_lk_owner_from_uint64(owner, number);
    return 0;
}

/* From a number, or anything with the buffer protocol, which LkOwner itself has. */
int
glupy_lk_owner_from(struct glupy_state *state, PyObject *value, gf_lkowner_t *owner)
{
    Py_buffer bytes;
    if (PyLong_Check(value))
        return lk_owner_from_number(value, owner);
    if (!PyObject_CheckBuffer(value)) {
        PyErr_Format(PyExc_TypeError, "expected LkOwner, int or bytes, not %.100s", Py_TYPE(value)->tp_name);
        return -1;
    }
    if (PyObject_GetBuffer(value, &bytes, PyBUF_SIMPLE))
        return -1;
    bool fits = bytes.len <= GF_MAX_LOCK_OWNER_LEN;
    if (fits) {
        memcpy(owner->data, bytes.buf, (size_t)bytes.len);
        owner->len = (int)bytes.len;
    } else {
        PyErr_Format(PyExc_ValueError, "a lock owner has at most %d bytes, not %zd", GF_MAX_LOCK_OWNER_LEN, bytes.len);
    }
    PyBuffer_Release(&bytes);
    return fits ? 0 : -1;
}

static PyObject *
lk_owner_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", NULL};
    PyObject *value = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:LkOwner", keywords, &value))
        return NULL;
    struct glupy_lk_owner *self = PyObject_New(struct glupy_lk_owner, type);
    if (!self)
        return NULL;
    self->owner.len = 0;
    if (value && glupy_lk_owner_from(glupy_state_of_type(type), value, &self->owner))
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void
lk_owner_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_Free(self);
    Py_DECREF(type);
}

static Py_ssize_t
lk_owner_length(PyObject *self)
{
    return lk_owner_of(self)->len;
}

static PyObject *
lk_owner_as_bytes(PyObject *self, PyObject *unused)
{
    return PyBytes_FromStringAndSize(lk_owner_of(self)->data, lk_owner_of(self)->len);
}

static PyObject *
lk_owner_hex(PyObject *self, PyObject *unused)
{
    PyObject *bytes = lk_owner_as_bytes(self, NULL);
    PyObject *text = bytes ? PyObject_CallMethod(bytes, "hex", NULL) : NULL;
    Py_XDECREF(bytes);
    return text;
}

static PyObject *
lk_owner_is_null(PyObject *self, void *closure)
{
    return PyBool_FromLong(is_lk_owner_null(&((struct glupy_lk_owner *)self)->owner));
}

static PyObject *
lk_owner_repr(PyObject *self)
{
    PyObject *bytes = lk_owner_as_bytes(self, NULL);
    PyObject *text = bytes ? PyUnicode_FromFormat("LkOwner(%R)", bytes) : NULL;
    Py_XDECREF(bytes);
    return text;
}

static Py_hash_t
lk_owner_hash(PyObject *self)
{
    PyObject *bytes = lk_owner_as_bytes(self, NULL);
    Py_hash_t hash = bytes ? PyObject_Hash(bytes) : -1;
    Py_XDECREF(bytes);
    return hash;
}

static PyObject *
lk_owner_compare(PyObject *self, PyObject *other, int op)
{
    if (Py_TYPE(self) != Py_TYPE(other) || (op != Py_EQ && op != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    const gf_lkowner_t *mine = lk_owner_of(self), *theirs = lk_owner_of(other);
    bool equal = mine->len == theirs->len && memcmp(mine->data, theirs->data, (size_t)mine->len) == 0;
    return PyBool_FromLong(equal == (op == Py_EQ));
}

static int
lk_owner_buffer(PyObject *self, Py_buffer *view, int flags)
{
    return PyBuffer_FillInfo(view, self, (void *)lk_owner_of(self)->data, lk_owner_of(self)->len, 1, flags);
}

static PyObject *
lk_owner_reduce(PyObject *self, PyObject *unused)
{
    return Py_BuildValue("O(y#)", Py_TYPE(self), lk_owner_of(self)->data, (Py_ssize_t)lk_owner_of(self)->len);
}

static PyMethodDef lk_owner_methods[] = {
    {"__bytes__", lk_owner_as_bytes, METH_NOARGS, "The owner's bytes."},
    {"__reduce__", lk_owner_reduce, METH_NOARGS, "For copy and pickle."},
    {"hex", lk_owner_hex, METH_NOARGS, "hex($self, /)\n--\n\nThe bytes as hexadecimal digits."},
    {0},
};

static PyGetSetDef lk_owner_getset[] = {
    {"is_null", lk_owner_is_null, NULL, "Is it nobody: no bytes, or all of them 0 (is_lk_owner_null())?", NULL},
    {0},
};

static PyType_Slot lk_owner_slots[] = {
    {Py_tp_doc, "LkOwner(value=b'', /)\n--\n\nThe owner of locks: gf_lkowner_t (glusterfs-fops.h).\n\n"
                "From at most 1024 bytes, from an int of 64 bits (8 bytes, the lowest first, as\n"
                "set_lk_owner_from_uint64() makes them), or another LkOwner. Immutable and hashable, with the buffer\n"
                "protocol; equal only to a LkOwner. Raises TypeError, ValueError or OverflowError."},
    {Py_tp_new, lk_owner_new},
    {Py_tp_dealloc, lk_owner_dealloc},
    {Py_tp_repr, lk_owner_repr},
    {Py_tp_hash, lk_owner_hash},
    {Py_tp_richcompare, lk_owner_compare},
    {Py_sq_length, lk_owner_length},
    {Py_bf_getbuffer, lk_owner_buffer},
    {Py_tp_methods, lk_owner_methods},
    {Py_tp_getset, lk_owner_getset},
    {0, NULL},
};

static PyType_Spec lk_owner_spec = {
    .name = "glupy._core.LkOwner",
    .basicsize = sizeof(struct glupy_lk_owner),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = lk_owner_slots,
};

int
glupy_lk_owner_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &lk_owner_spec, &state->lk_owner_type);
}
