/* Gfid: the 16 bytes that identify a file in a GlusterFS volume. */
#include "values/types/types.h"

static const unsigned char *
gfid_bytes(PyObject *self)
{
    return ((struct glupy_gfid *)self)->gfid;
}

static PyObject *
gfid_create(PyTypeObject *type, const uuid_t gfid)
{
    struct glupy_gfid *self = PyObject_New(struct glupy_gfid, type);
    if (self)
        memcpy(self->gfid, gfid, sizeof(self->gfid));
    return (PyObject *)self;
}

PyObject *
glupy_gfid_new(struct glupy_state *state, const uuid_t gfid)
{
    return gfid_create(state->gfid_type, gfid);
}

/* From Python values. */

static int
gfid_from_bytes(PyObject *value, uuid_t gfid)
{
    if (PyBytes_GET_SIZE(value) != sizeof(uuid_t)) {
        PyErr_Format(PyExc_ValueError, "a gfid has 16 bytes, not %zd", PyBytes_GET_SIZE(value));
        return -1;
    }
    memcpy(gfid, PyBytes_AS_STRING(value), sizeof(uuid_t));
    return 0;
}

static int
gfid_from_text(PyObject *value, uuid_t gfid)
{
    Py_ssize_t length;
    uuid_t parsed;
    const char *text = PyUnicode_AsUTF8AndSize(value, &length);
    if (!text && !PyErr_ExceptionMatches(PyExc_UnicodeError))
        return -1;
    if (!text || length != UUID_STR_LEN - 1 || uuid_parse(text, parsed)) {
        PyErr_Format(PyExc_ValueError, "no gfid: %R", value);
        return -1;
    }
    memcpy(gfid, parsed, sizeof(parsed));
    return 0;
}

/* Is it a uuid.UUID? A value cannot be one before the module is imported. 1, 0, or -1 with an exception. */
static int
gfid_is_uuid(PyObject *value)
{
    PyObject *name = PyUnicode_FromString("uuid");
    PyObject *module = name ? PyImport_GetModule(name) : NULL;
    Py_XDECREF(name);
    if (!module)
        return PyErr_Occurred() ? -1 : 0;
    PyObject *type = PyObject_GetAttrString(module, "UUID");
    int result = type ? PyObject_IsInstance(value, type) : -1;
    Py_XDECREF(type);
    Py_DECREF(module);
    return result;
}

static int
gfid_from_uuid(PyObject *value, uuid_t gfid)
{
    int is_uuid = gfid_is_uuid(value);
    if (is_uuid == 0)
        PyErr_Format(PyExc_TypeError, "expected Gfid, uuid.UUID, str or 16 bytes, not %.100s", Py_TYPE(value)->tp_name);
    PyObject *bytes = is_uuid == 1 ? PyObject_GetAttrString(value, "bytes") : NULL;
    if (!bytes)
        return -1;
    int result = PyBytes_Check(bytes) ? gfid_from_bytes(bytes, gfid) : -1;
    if (result && !PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "UUID.bytes is no bytes object");
    Py_DECREF(bytes);
    return result;
}

int
glupy_gfid_from(struct glupy_state *state, PyObject *value, uuid_t gfid)
{
    if (Py_IS_TYPE(value, state->gfid_type)) {
        memcpy(gfid, gfid_bytes(value), sizeof(uuid_t));
        return 0;
    }
    if (PyBytes_Check(value))
        return gfid_from_bytes(value, gfid);
    if (PyUnicode_Check(value))
        return gfid_from_text(value, gfid);
    return gfid_from_uuid(value, gfid);
}

static PyObject *
gfid_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", NULL};
    PyObject *value = NULL;
    uuid_t gfid = {0};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Gfid", keywords, &value))
        return NULL;
    if (value && glupy_gfid_from(glupy_state_of_type(type), value, gfid))
        return NULL;
    return gfid_create(type, gfid);
}

/* Slots. */

static void
gfid_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *
gfid_str(PyObject *self)
{
    char text[UUID_STR_LEN];
    uuid_unparse_lower(gfid_bytes(self), text);
    return PyUnicode_FromStringAndSize(text, sizeof(text) - 1);
}

static PyObject *
gfid_repr(PyObject *self)
{
    char text[UUID_STR_LEN];
    uuid_unparse_lower(gfid_bytes(self), text);
    return PyUnicode_FromFormat("Gfid('%s')", text);
}

/* Both halves of a wide product: gfids that differ in a few bits only, wherever those are, must spread as well. */
static Py_hash_t
gfid_hash(PyObject *self)
{
    uint64_t halves[2];
    memcpy(halves, gfid_bytes(self), sizeof(halves));
    unsigned __int128 product = halves[0] ^ 0x9E3779B97F4A7C15u;
    product *= halves[1] ^ 0xD1B54A32D192ED03u;
    Py_hash_t hash = (Py_hash_t)((uint64_t)product ^ (uint64_t)(product >> 64));
    return hash == -1 ? -2 : hash;
}

static PyObject *
gfid_compare(PyObject *self, PyObject *other, int op)
{
    if (Py_TYPE(self) != Py_TYPE(other))
        Py_RETURN_NOTIMPLEMENTED;
    int order = memcmp(gfid_bytes(self), gfid_bytes(other), sizeof(uuid_t));
    Py_RETURN_RICHCOMPARE(order, 0, op);
}

static int
gfid_bool(PyObject *self)
{
    return !uuid_is_null(gfid_bytes(self));
}

/* Methods and properties. */

static PyObject *
gfid_as_bytes(PyObject *self, PyObject *unused)
{
    return PyBytes_FromStringAndSize((const char *)gfid_bytes(self), sizeof(uuid_t));
}

static PyObject *
gfid_reduce(PyObject *self, PyObject *unused)
{
    return Py_BuildValue("O(y#)", Py_TYPE(self), gfid_bytes(self), (Py_ssize_t)sizeof(uuid_t));
}

static PyObject *
gfid_itself(PyObject *self, PyObject *unused)
{
    return Py_NewRef(self);
}

static PyObject *
gfid_random(PyObject *type, PyObject *unused)
{
    uuid_t gfid;
    gf_uuid_generate(gfid);
    return gfid_create((PyTypeObject *)type, gfid);
}

static const uuid_t gfid_of_root = {[15] = 1};

static PyObject *
gfid_root(PyObject *type, PyObject *unused)
{
    return gfid_create((PyTypeObject *)type, gfid_of_root);
}

static PyObject *
gfid_is_root(PyObject *self, void *closure)
{
    return PyBool_FromLong(memcmp(gfid_bytes(self), gfid_of_root, sizeof(uuid_t)) == 0);
}

static PyObject *
gfid_uuid(PyObject *self, void *closure)
{
    PyObject *module = PyImport_ImportModule("uuid");
    PyObject *type = module ? PyObject_GetAttrString(module, "UUID") : NULL;
    PyObject *kwargs = type ? Py_BuildValue("{s:y#}", "bytes", gfid_bytes(self), (Py_ssize_t)sizeof(uuid_t)) : NULL;
    PyObject *result = kwargs ? PyObject_VectorcallDict(type, NULL, 0, kwargs) : NULL;
    Py_XDECREF(kwargs);
    Py_XDECREF(type);
    Py_XDECREF(module);
    return result;
}

static PyObject *
gfid_null(PyObject *type, PyObject *unused)
{
    const uuid_t null = {0};

    return gfid_create((PyTypeObject *)type, null);
}

/* ".glusterfs/ab/cd/abcd…": where a brick has the file once more, by its gfid (a hard link, or a symbolic link for a
 * directory). */
#define HANDLE_FOLDER ".glusterfs"
#define HANDLE_LEN (sizeof(HANDLE_FOLDER "/ab/cd/") - 1 + UUID_STR_LEN - 1)

static void
gfid_write_handle(const uuid_t gfid, char handle[HANDLE_LEN + 1])
{
    char text[UUID_STR_LEN];

    uuid_unparse_lower(gfid, text);
    snprintf(handle, HANDLE_LEN + 1, HANDLE_FOLDER "/%.2s/%.2s/%s", text, text + 2, text);
}

static PyObject *
gfid_get_handle(PyObject *self, void *closure)
{
    char handle[HANDLE_LEN + 1];

    gfid_write_handle(gfid_bytes(self), handle);
    return PyUnicode_FromString(handle);
}

/* The end of the path names the gfid; writing its handle again shows whether all of it is as it should be. */
static bool
gfid_read_handle(const char *path, uuid_t gfid)
{
    size_t length = strlen(path);
    char handle[HANDLE_LEN + 1];

    if (length < HANDLE_LEN || uuid_parse(path + length - (UUID_STR_LEN - 1), gfid) != 0)
        return false;
    gfid_write_handle(gfid, handle);
    path += length - HANDLE_LEN;
    return strcmp(path, handle) == 0 && (length == HANDLE_LEN || path[-1] == '/');
}

static PyObject *
gfid_from_handle(PyObject *type, PyObject *value)
{
    PyObject *path = PyOS_FSPath(value), *bytes = path ? glupy_text_bytes(path) : NULL, *self = NULL;
    uuid_t gfid;

    Py_XDECREF(path);
    if (!bytes)
        return NULL;
    if (gfid_read_handle(PyBytes_AS_STRING(bytes), gfid))
        self = gfid_create((PyTypeObject *)type, gfid);
    else
        PyErr_Format(PyExc_ValueError, "%R does not end in '" HANDLE_FOLDER "/ab/cd/abcd...', the gfid and its first digits",
                     value);
    Py_DECREF(bytes);
    return self;
}

static PyObject *
gfid_get_ino(PyObject *self, void *closure)
{
    return PyLong_FromUnsignedLongLong(gfid_to_ino(((struct glupy_gfid *)self)->gfid));
}

static PyMethodDef gfid_methods[] = {
    {"__bytes__", gfid_as_bytes, METH_NOARGS, "The 16 bytes."},
    {"__reduce__", gfid_reduce, METH_NOARGS, "For pickle."},
    {"__copy__", gfid_itself, METH_NOARGS, "The same object: gfids do not change."},
    {"__deepcopy__", gfid_itself, METH_O, "The same object: gfids do not change."},
    {"random", gfid_random, METH_CLASS | METH_NOARGS,
     "random($type, /)\n--\n\nA new gfid, as for a file to be created."},
    {"root", gfid_root, METH_CLASS | METH_NOARGS, "root($type, /)\n--\n\nThe gfid of every volume's root directory."},
    {"null", gfid_null, METH_CLASS | METH_NOARGS,
     "null($type, /)\n--\n\nThe gfid that is none, such as a file's that is not made yet: Gfid()."},
    {"from_handle", gfid_from_handle, METH_CLASS | METH_O,
     "from_handle($type, path, /)\n--\n\nThe gfid that a path in a brick's .glusterfs names: str, bytes or os.PathLike,\n"
     "relative or not. Raises ValueError for other paths."},
    {0},
};

static PyGetSetDef gfid_getset[] = {
    {"uuid", gfid_uuid, NULL, "The same as a uuid.UUID.", NULL},
    {"handle", gfid_get_handle, NULL, "Where a brick has this file once more, below the brick: '.glusterfs/ab/cd/abcd…'.",
     NULL},
    {"ino", gfid_get_ino, NULL, "The inode number that GlusterFS derives from it for ia_ino and d_ino (gfid_to_ino()).",
     NULL},
    {"is_root", gfid_is_root, NULL, "Is it the root directory's (00000000-0000-0000-0000-000000000001)?", NULL},
    {0},
};

static PyType_Slot gfid_slots[] = {
    {Py_tp_doc, "Gfid(value=<null>, /)\n--\n\nThe identity of a file in a volume: uuid_t in GlusterFS.\n\n"
                "From the usual text, 16 bytes, a uuid.UUID or a Gfid; without an argument the null gfid, which is\n"
                "false. Immutable, hashable, ordered; equal only to a Gfid. Raises TypeError or ValueError."},
    {Py_tp_new, gfid_new},
    {Py_tp_dealloc, gfid_dealloc},
    {Py_tp_str, gfid_str},
    {Py_tp_repr, gfid_repr},
    {Py_tp_hash, gfid_hash},
    {Py_tp_richcompare, gfid_compare},
    {Py_nb_bool, gfid_bool},
    {Py_tp_methods, gfid_methods},
    {Py_tp_getset, gfid_getset},
    {0, NULL},
};

static PyType_Spec gfid_spec = {
    .name = "glupy._core.Gfid",
    .basicsize = sizeof(struct glupy_gfid),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = gfid_slots,
};

int
glupy_gfid_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &gfid_spec, &state->gfid_type);
}
