/* Xdata: GlusterFS's dict_t (dict.h) as a typed, mutable mapping.
 *
 * Values are read by the data type that GlusterFS keeps with them and are stored through data_from_dynptr and
 * dict_setn, which both supported series export. A stored data_t is never changed, only replaced: copies of a dict_t
 * share them. */
#include <ctype.h>
#include <inttypes.h>

#include "python/thread.h"
#include "values/straight.h"
#include "values/types/types.h"
#include "values/types/xdata_index.h"

/* So many keys, and so many lookups, are not worth an index. */
#define FEW 32u

/* Longest text of an integer or a double that is looked at; longer ones are damaged and read as bytes. */
#define NUMBER_TEXT 64

static inline struct glupy_xdata *
xdata_of(PyObject *object)
{
    return (struct glupy_xdata *)object;
}

PyObject *
glupy_xdata_new(struct glupy_state *state, dict_t *dict)
{
    PyObject *self = glupy_xdata_alloc(state, dict, true);

    if (self && dict)
        dict_ref(dict);
    return self;
}

static void
drop_index(struct glupy_xdata *self)
{
    if (self->index)
        glupy_xdata_index_free(self->index);
    self->index = NULL;
    self->lookups = 0;
}

/* Whoever gets the dict_t may keep it: from here on a change needs a copy. */
dict_t *
glupy_xdata_dict(PyObject *xdata)
{
    if (Py_IsNone(xdata))
        return NULL;
    drop_index(xdata_of(xdata));
    xdata_of(xdata)->exclusive = false;
    return xdata_of(xdata)->dict;
}

static __attribute__((noinline)) void
xdata_release(struct glupy_xdata *self)
{
    dict_t *dict = self->owned ? self->dict : NULL;

    drop_index(self);
    self->dict = NULL;
    self->owned = false;
    self->exclusive = false;
    glupy_drop_dict(dict);
}

/* Is this the step of Python's in which the index, or the count of lookups, was begun? What nobody else sees stays as it is
 * at all times. */
static bool
in_same_step(struct glupy_xdata *self)
{
    struct glupy_thread *thread = glupy_thread_if_any();
    uint64_t step = thread ? atomic_load_explicit(&thread->step, memory_order_relaxed) : 0;
    bool same = self->exclusive || (thread && self->thread == thread && self->step == step);

    self->thread = thread;
    self->step = step;
    return same;
}

/* What to look a key up in, once that pays; borrowed. NULL: in the dict_t. */
static PyObject *
index_of(struct glupy_xdata *self)
{
    if (!in_same_step(self))
        drop_index(self);
    if (self->index || ++self->lookups <= FEW)
        return self->index;
    self->lookups = 0;
    if (dict_key_count(self->dict) > (int)FEW && !(self->index = glupy_xdata_index_new(self->dict)))
        PyErr_Clear(); /* no memory: it is slow, then */
    return self->index;
}

/* Values that were put in without a copy ("static") lie in the memory of who did, fuse's gfid-req in the state of its
 * request: they end before a dict_t that we hold does. */
static bool
is_elsewhere(const data_t *value)
{
    return value->is_static && value->data && value->len;
}

static int
note_elsewhere(dict_t *dict, char *key, data_t *value, void *found)
{
    (void)dict;
    (void)key;
    if (is_elsewhere(value))
        *(bool *)found = true;
    return 0;
}

/* A value that can be kept: the same, or a copy of what lies elsewhere. A reference, or NULL (no memory). */
static data_t *
kept_value(data_t *value)
{
    void *copy;
    data_t *data;

    if (!is_elsewhere(value))
        return data_ref(value);
    copy = gf_memdup(value->data, value->len);
    data = copy ? data_from_dynptr(copy, (int32_t)value->len) : NULL;
    if (!data) {
        GF_FREE(copy);
        return NULL;
    }
    data->data_type = value->data_type;
    return data_ref(data);
}

/* A dict_t of one's own with the values of an index. NULL with MemoryError. */
static dict_t *
dict_of_index(PyObject *index)
{
    dict_t *copy = dict_new();
    Py_ssize_t position = 0;
    PyObject *key;
    data_t *value;

    while (copy && glupy_xdata_index_next(index, &position, &key, &value)) {
        data_t *kept = kept_value(value);

        if (!kept || dict_addn(copy, PyBytes_AS_STRING(key), (int)PyBytes_GET_SIZE(key), kept) < 0) {
            glupy_drop_dict(copy);
            copy = NULL;
        }
        if (kept)
            data_unref(kept);
    }
    if (!copy)
        PyErr_NoMemory();
    return copy;
}

static bool
has_elsewhere(dict_t *dict)
{
    bool elsewhere = false;

    dict_foreach(dict, note_elsewhere, &elsewhere);
    return elsewhere;
}

/* dict_copy_with_ref() looks each key up in what it has copied so far. NULL with MemoryError. */
static dict_t *
copy_dict(dict_t *dict)
{
    PyObject *index;
    dict_t *copy;

    if (dict && (dict_key_count(dict) > (int)FEW || has_elsewhere(dict))) {
        index = glupy_xdata_index_new(dict);
        copy = index ? dict_of_index(index) : NULL;
        glupy_xdata_index_free(index);
        return copy;
    }
    copy = dict ? dict_copy_with_ref(dict, NULL) : dict_new();
    if (!copy)
        PyErr_NoMemory();
    return copy;
}

/* Have a copy instead of the dict_t. 0, or -1 with MemoryError. */
static int
become_exclusive(struct glupy_xdata *self)
{
    dict_t *copy = copy_dict(self->dict);

    if (!copy)
        return -1;
    xdata_release(self);
    self->dict = copy;
    self->owned = true;
    self->exclusive = true;
    return 0;
}

/* Make all values of an owned dict_t its own: a dict_t that is somebody else's as well is exchanged for a copy. 0, or -1
 * with MemoryError and nothing left in the object. */
static int
make_independent(struct glupy_xdata *self)
{
    if (!has_elsewhere(self->dict) || become_exclusive(self) == 0)
        return 0;
    xdata_release(self);
    return -1;
}

/* The dict_t to change in place: NULL with MemoryError. */
static dict_t *
xdata_writable(struct glupy_xdata *self)
{
    if (self->dict && self->exclusive)
        return self->dict;
    return become_exclusive(self) == 0 ? self->dict : NULL;
}

static bool
is_mapping(PyObject *value)
{
    return PyDict_Check(value) || (PyMapping_Check(value) && PyObject_HasAttrString(value, "keys"));
}

/* A key as bytes: NULL with TypeError or ValueError. */
static PyObject *
key_bytes(PyObject *key)
{
    PyObject *bytes = glupy_text_bytes(key);

    if (bytes && !PyBytes_GET_SIZE(bytes)) {
        Py_DECREF(bytes);
        PyErr_SetString(PyExc_ValueError, "xdata keys cannot be empty");
        return NULL;
    }
    return bytes;
}

/* Reading: from a data_t, of which no byte beyond data->len is looked at. */

static PyObject *
read_bytes(const data_t *data)
{
    return PyBytes_FromStringAndSize(data->data, data->len);
}

static PyObject *
read_text(const data_t *data)
{
    size_t size = data->len;

    if (data->data[size - 1] == '\0')
        size--;
    if (memchr(data->data, '\0', size))
        return read_bytes(data);
    return PyUnicode_DecodeUTF8(data->data, (Py_ssize_t)size, "surrogateescape");
}

/* Numbers are kept as text. False where this is none. */
static bool
number_text(const data_t *data, char text[NUMBER_TEXT])
{
    if (data->len >= NUMBER_TEXT)
        return false;
    memcpy(text, data->data, data->len);
    text[data->len] = '\0';
    return text[0] && !isspace((unsigned char)text[0]);
}

static PyObject *
read_int(const data_t *data)
{
    char text[NUMBER_TEXT], *end;

    if (!number_text(data, text))
        return read_bytes(data);
    errno = 0;
    long long value = strtoll(text, &end, 0);
    return errno || *end ? read_bytes(data) : PyLong_FromLongLong(value);
}

static PyObject *
read_uint(const data_t *data)
{
    char text[NUMBER_TEXT], *end;

    if (!number_text(data, text) || text[0] == '-') /* strtoull() takes it, and turns it round */
        return read_bytes(data);
    errno = 0;
    unsigned long long value = strtoull(text, &end, 0);
    return errno || *end ? read_bytes(data) : PyLong_FromUnsignedLongLong(value);
}

static PyObject *
read_double(const data_t *data)
{
    char text[NUMBER_TEXT];

    if (!number_text(data, text))
        return read_bytes(data);
    double value = PyOS_string_to_double(text, NULL, NULL);
    if (value == -1.0 && PyErr_Occurred()) {
        PyErr_Clear();
        return read_bytes(data);
    }
    return PyFloat_FromDouble(value);
}

static PyObject *
read_gfid(struct glupy_state *state, const data_t *data)
{
    uuid_t gfid;

    if (data->len != sizeof(gfid))
        return read_bytes(data);
    memcpy(gfid, data->data, sizeof(gfid));
    return glupy_gfid_new(state, gfid);
}

/* A shorter structure is an older peer's; the rest is zero, as in dict_get_iatt. */
static PyObject *
read_iatt(struct glupy_state *state, const data_t *data)
{
    struct iatt iatt = {0};

    memcpy(&iatt, data->data, data->len < sizeof(iatt) ? data->len : sizeof(iatt));
    return glupy_iatt_new(state, &iatt);
}

static PyObject *
read_mdata(struct glupy_state *state, const data_t *data)
{
    struct mdata_iatt mdata;

    if (data->len != sizeof(mdata))
        return read_bytes(data);
    memcpy(&mdata, data->data, sizeof(mdata));
    return glupy_mdata_new(state, &mdata);
}

/* As bytes where it cannot be read as that type. */
static PyObject *
read_as(struct glupy_state *state, const data_t *data, gf_dict_data_type_t type)
{
    if (!data->data || !data->len)
        return PyBytes_FromStringAndSize(NULL, 0);
    switch (type) {
    case GF_DATA_TYPE_STR:
    case GF_DATA_TYPE_STR_OLD:
        return read_text(data);
    case GF_DATA_TYPE_INT:
        return read_int(data);
    case GF_DATA_TYPE_UINT:
        return read_uint(data);
    case GF_DATA_TYPE_DOUBLE:
        return read_double(data);
    case GF_DATA_TYPE_GFUUID:
        return read_gfid(state, data);
    case GF_DATA_TYPE_IATT:
        return read_iatt(state, data);
    case GF_DATA_TYPE_MDATA:
        return read_mdata(state, data);
    default:
        return read_bytes(data);
    }
}

/* The value of a key, for data_unref(), or NULL where it is missing. */
static data_t *
look_up(struct glupy_xdata *self, PyObject *key)
{
    PyObject *index = self->dict ? index_of(self) : NULL;
    data_t *data = NULL;

    if (index) {
        data = glupy_xdata_index_find(index, key);
        return data ? data_ref(data) : NULL;
    }
    if (self->dict && dict_get_with_ref(self->dict, PyBytes_AS_STRING(key), &data) < 0)
        data = NULL;
    return data;
}

/* The data_t of a key, for data_unref(), or NULL where it is missing. 1, 0 (missing), or -1 with an exception. */
static int
xdata_data(PyObject *self, PyObject *key, data_t **data)
{
    PyObject *bytes = key_bytes(key);

    *data = NULL;
    if (!bytes)
        return -1;
    *data = look_up(xdata_of(self), bytes);
    Py_DECREF(bytes);
    return *data != NULL;
}

/* Whether `key` is there; its value in *value where that is asked for. 1, 0 (missing), or -1 with an exception. */
static int
xdata_find(PyObject *self, PyObject *key, PyObject **value)
{
    data_t *data;
    int found = xdata_data(self, key, &data);

    if (found <= 0)
        return found;
    if (value && !(*value = read_as(glupy_state_of(self), data, data->data_type)))
        found = -1;
    data_unref(data);
    return found;
}

static int
append_key(dict_t *dict, char *key, data_t *value, void *list)
{
    PyObject *text = glupy_text(key);
    int ret = text ? PyList_Append(list, text) : -1;

    (void)dict;
    (void)value;
    Py_XDECREF(text);
    return ret;
}

/* A list of the keys. What is allocated meanwhile cannot start a garbage collection, which could change the dict_t. */
static PyObject *
xdata_key_list(PyObject *self)
{
    PyObject *list = PyList_New(0);

    if (list && xdata_of(self)->dict && dict_foreach(xdata_of(self)->dict, append_key, list) < 0)
        Py_CLEAR(list);
    return list;
}

/* A dict of all keys and values. The index has a reference to each: reading one may run Python code. */
static PyObject *
xdata_snapshot(PyObject *self)
{
    PyObject *index = glupy_xdata_index_new(xdata_of(self)->dict), *dict = index ? PyDict_New() : NULL, *key;
    Py_ssize_t position = 0;
    data_t *data;

    while (dict && glupy_xdata_index_next(index, &position, &key, &data)) {
        PyObject *text = glupy_text(PyBytes_AS_STRING(key));
        PyObject *value = text ? read_as(glupy_state_of(self), data, data->data_type) : NULL;

        if (!value || PyDict_SetItem(dict, text, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(value);
        Py_XDECREF(text);
    }
    glupy_xdata_index_free(index);
    return dict;
}

/* Writing. The dict_t is looked up last: what runs while a value is converted may change this very Xdata. */

/* Put a value into the dict_t, which is exclusive. Where it is known that there is none yet, the list is not walked. 0, or -1
 * with MemoryError. */
static int
put(struct glupy_xdata *self, dict_t *dict, PyObject *key, data_t *value)
{
    PyObject *index = index_of(self);
    bool fresh = index && !glupy_xdata_index_find(index, key);
    int ret = (fresh ? dict_addn : dict_setn)(dict, PyBytes_AS_STRING(key), (int)PyBytes_GET_SIZE(key), value);

    if (index && (ret < 0 || glupy_xdata_index_set(index, key, value) != 0))
        drop_index(self);
    if (ret < 0)
        PyErr_NoMemory();
    else
        PyErr_Clear();
    return ret < 0 ? -1 : 0;
}

static int
store(PyObject *self, PyObject *key, gf_dict_data_type_t type, const void *bytes, size_t size)
{
    if (size > DICT_KEY_VALUE_MAX_SIZE) {
        PyErr_Format(PyExc_ValueError, "xdata value for '%.200s' is longer than %d bytes", PyBytes_AS_STRING(key),
                     DICT_KEY_VALUE_MAX_SIZE);
        return -1;
    }
    dict_t *dict = xdata_writable(xdata_of(self));
    if (!dict)
        return -1;
    void *copy = gf_memdup(size ? bytes : "", size);
    data_t *data = copy ? data_from_dynptr(copy, (int32_t)size) : NULL;
    if (!data) {
        GF_FREE(copy);
        PyErr_NoMemory();
        return -1;
    }
    data->data_type = type;
    data_ref(data);
    int ret = put(xdata_of(self), dict, key, data);
    data_unref(data);
    return ret;
}

static int
store_int(PyObject *self, PyObject *key, int64_t value)
{
    char text[NUMBER_TEXT];
    int size = snprintf(text, sizeof(text), "%" PRId64, value);

    return store(self, key, GF_DATA_TYPE_INT, text, (size_t)size + 1);
}

static int
store_uint(PyObject *self, PyObject *key, uint64_t value)
{
    char text[NUMBER_TEXT];
    int size = snprintf(text, sizeof(text), "%" PRIu64, value);

    return store(self, key, GF_DATA_TYPE_UINT, text, (size_t)size + 1);
}

/* dict_set_double keeps six digits after the point; the shortest text that gives the same double again keeps all. */
static int
store_double(PyObject *self, PyObject *key, double value)
{
    char *text = PyOS_double_to_string(value, 'r', 0, 0, NULL);

    if (!text)
        return -1;
    int ret = store(self, key, GF_DATA_TYPE_DOUBLE, text, strlen(text) + 1);
    PyMem_Free(text);
    return ret;
}

static int
store_text(PyObject *self, PyObject *key, PyObject *value)
{
    PyObject *text = glupy_text_bytes(value);

    if (!text)
        return -1;
    int ret = store(self, key, GF_DATA_TYPE_STR, PyBytes_AS_STRING(text), (size_t)PyBytes_GET_SIZE(text) + 1);
    Py_DECREF(text);
    return ret;
}

static int
store_bytes(PyObject *self, PyObject *key, PyObject *value)
{
    Py_buffer view;

    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0)
        return -1;
    int ret = store(self, key, GF_DATA_TYPE_PTR, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return ret;
}

static int
store_gfid(PyObject *self, PyObject *key, PyObject *value)
{
    uuid_t gfid;

    if (glupy_gfid_from(glupy_state_of(self), value, gfid) < 0)
        return -1;
    return store(self, key, GF_DATA_TYPE_GFUUID, gfid, sizeof(gfid));
}

static int
refuse_value(PyObject *key, const char *expected, PyObject *value)
{
    PyErr_Format(PyExc_TypeError, "xdata value for '%.200s' must be %s, not %.100s", PyBytes_AS_STRING(key), expected,
                 Py_TYPE(value)->tp_name);
    return -1;
}

static int
store_iatt(PyObject *self, PyObject *key, PyObject *value)
{
    if (!Py_IS_TYPE(value, glupy_state_of(self)->iatt_type))
        return refuse_value(key, "Iatt", value);
    return store(self, key, GF_DATA_TYPE_IATT, ((struct glupy_iatt *)value)->iatt, sizeof(struct iatt));
}

static int
refuse_size(PyObject *key, unsigned bits, const char *type)
{
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_OverflowError))
        return -1;
    PyErr_Format(PyExc_OverflowError, "xdata value for '%.200s' does not fit %s%u", PyBytes_AS_STRING(key), type, bits);
    return -1;
}

/* The value of an int that fits as many bits: 0, or -1 with OverflowError. */
static int
as_signed(PyObject *key, PyObject *number, unsigned bits, int64_t *value)
{
    long long limit = INT64_MAX >> (64 - bits);

    *value = PyLong_AsLongLong(number);
    return (*value == -1 && PyErr_Occurred()) || *value > limit || *value < -limit - 1 ? refuse_size(key, bits, "int") : 0;
}

static int
as_unsigned(PyObject *key, PyObject *number, unsigned bits, uint64_t *value)
{
    *value = PyLong_AsUnsignedLongLong(number);
    return PyErr_Occurred() || *value > UINT64_MAX >> (64 - bits) ? refuse_size(key, bits, "uint") : 0;
}

static int
store_signed(PyObject *self, PyObject *key, PyObject *number, unsigned bits)
{
    int64_t value;

    return as_signed(key, number, bits, &value) < 0 ? -1 : store_int(self, key, value);
}

static int
store_unsigned(PyObject *self, PyObject *key, PyObject *number, unsigned bits)
{
    uint64_t value;

    return as_unsigned(key, number, bits, &value) < 0 ? -1 : store_uint(self, key, value);
}

/* int64 where it fits, else uint64: what consumers with signed getters can read as long as possible. */
static int
store_integer(PyObject *self, PyObject *key, PyObject *number)
{
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(number, &overflow);

    if (overflow > 0)
        return store_unsigned(self, key, number, 64);
    if (overflow < 0)
        return refuse_size(key, 64, "int");
    if (value == -1 && PyErr_Occurred())
        return -1;
    return store_int(self, key, value);
}

/* Whether this is a uuid.UUID; none can exist before the module uuid does. */
static int
is_uuid(PyObject *value)
{
    PyObject *name = PyUnicode_FromString("uuid"), *module = name ? PyImport_GetModule(name) : NULL;
    PyObject *type = module ? PyObject_GetAttrString(module, "UUID") : NULL;
    int ret = type ? PyObject_IsInstance(value, type) : PyErr_Occurred() ? -1 : 0;

    Py_XDECREF(type);
    Py_XDECREF(module);
    Py_XDECREF(name);
    return ret;
}

static int
store_mdata(PyObject *self, PyObject *key, PyObject *value)
{
    if (!Py_IS_TYPE(value, glupy_state_of(self)->mdata_type))
        return refuse_value(key, "Mdata", value);
    return store(self, key, GF_DATA_TYPE_MDATA, ((struct glupy_mdata *)value)->mdata, sizeof(struct mdata_iatt));
}

static int
store_value(PyObject *self, PyObject *key, PyObject *value)
{
    struct glupy_state *state = glupy_state_of(self);

    if (PyUnicode_Check(value))
        return store_text(self, key, value);
    if (PyLong_Check(value))
        return store_integer(self, key, value);
    if (PyFloat_Check(value))
        return store_double(self, key, PyFloat_AS_DOUBLE(value));
    if (Py_IS_TYPE(value, state->iatt_type))
        return store_iatt(self, key, value);
    if (Py_IS_TYPE(value, state->gfid_type))
        return store_gfid(self, key, value);
    if (Py_IS_TYPE(value, state->mdata_type))
        return store_mdata(self, key, value);
    if (PyObject_CheckBuffer(value))
        return store_bytes(self, key, value);
    int uuid = is_uuid(value);
    if (uuid)
        return uuid < 0 ? -1 : store_gfid(self, key, value);
    return refuse_value(key, "str, bytes, int, float, Gfid, Iatt or Mdata", value);
}

static int
store_float(PyObject *self, PyObject *key, PyObject *value)
{
    double number = PyFloat_AsDouble(value);

    return number == -1.0 && PyErr_Occurred() ? -1 : store_double(self, key, number);
}

/* The types of dict.h under the names of its functions (dict_set_int8, …); the first of each data type is what
 * xdata.type() calls it. `bits` are those of integers, which have no store function of their own. */
struct value_type {
    const char *name;
    gf_dict_data_type_t type;
    unsigned bits;
    int (*store)(PyObject *self, PyObject *key, PyObject *value);
};

static const struct value_type value_types[] = {
    {"str", GF_DATA_TYPE_STR, 0, store_text},
    {"int", GF_DATA_TYPE_INT, 64, NULL},
    {"uint", GF_DATA_TYPE_UINT, 64, NULL},
    {"double", GF_DATA_TYPE_DOUBLE, 0, store_float},
    {"bytes", GF_DATA_TYPE_PTR, 0, store_bytes},
    {"gfid", GF_DATA_TYPE_GFUUID, 0, store_gfid},
    {"iatt", GF_DATA_TYPE_IATT, 0, store_iatt},
    {"mdata", GF_DATA_TYPE_MDATA, 0, store_mdata},
    {"int8", GF_DATA_TYPE_INT, 8, NULL},
    {"int16", GF_DATA_TYPE_INT, 16, NULL},
    {"int32", GF_DATA_TYPE_INT, 32, NULL},
    {"int64", GF_DATA_TYPE_INT, 64, NULL},
    {"uint8", GF_DATA_TYPE_UINT, 8, NULL},
    {"uint16", GF_DATA_TYPE_UINT, 16, NULL},
    {"uint32", GF_DATA_TYPE_UINT, 32, NULL},
    {"uint64", GF_DATA_TYPE_UINT, 64, NULL},
};

#define VALUE_TYPES (sizeof(value_types) / sizeof(value_types[0]))

/* A type by its name, or NULL with ValueError. */
static const struct value_type *
type_named(const char *name)
{
    for (size_t i = 0; i < VALUE_TYPES; i++)
        if (!strcmp(name, value_types[i].name))
            return &value_types[i];
    if (!strcmp(name, "ptr") || !strcmp(name, "pointer"))
        PyErr_SetString(PyExc_ValueError, "xdata has no type for pointers: an address means nothing to others; "
                                          "'bytes' stores the bytes themselves");
    else
        PyErr_Format(PyExc_ValueError, "unknown xdata type '%.100s'", name);
    return NULL;
}

static int
store_number(PyObject *self, PyObject *key, PyObject *value, const struct value_type *type)
{
    PyObject *number = PyNumber_Index(value);

    if (!number)
        return -1;
    int ret = type->type == GF_DATA_TYPE_INT ? store_signed(self, key, number, type->bits)
                                             : store_unsigned(self, key, number, type->bits);
    Py_DECREF(number);
    return ret;
}

static int
store_as(PyObject *self, PyObject *key, PyObject *value, const struct value_type *type)
{
    return type->bits ? store_number(self, key, value, type) : type->store(self, key, value);
}

/* dict_add can have put a key in twice: all of them go. */
static int
xdata_remove(PyObject *self, PyObject *key)
{
    int found = xdata_find(self, key, NULL);

    if (found == 0)
        PyErr_SetObject(PyExc_KeyError, key);
    PyObject *bytes = found > 0 ? key_bytes(key) : NULL;
    dict_t *dict = bytes ? xdata_writable(xdata_of(self)) : NULL;
    while (dict && dict_deln(dict, PyBytes_AS_STRING(bytes), (int)PyBytes_GET_SIZE(bytes)))
        ;
    if (dict && xdata_of(self)->index && glupy_xdata_index_remove(xdata_of(self)->index, bytes) != 0) {
        drop_index(xdata_of(self));
        PyErr_Clear();
    }
    Py_XDECREF(bytes);
    return dict ? 0 : -1;
}

/* Store every item of a dict. */
static int
xdata_fill(PyObject *self, PyObject *dict)
{
    PyObject *key, *value;
    Py_ssize_t position = 0;

    while (PyDict_Next(dict, &position, &key, &value))
        if (PyObject_SetItem(self, key, value) < 0)
            return -1;
    return 0;
}

/* Have the other's dict_t, which both then copy before they change it. 0, or -1 with MemoryError. */
static int
share(struct glupy_xdata *self, PyObject *other)
{
    dict_t *dict = dict_ref(glupy_xdata_dict(other));

    xdata_release(self);
    self->dict = dict;
    self->owned = true;
    return make_independent(self);
}

/* Store what another Xdata has, types included. */
static int
xdata_merge(PyObject *self, PyObject *other)
{
    PyObject *index, *key;
    Py_ssize_t position = 0;
    data_t *value;
    int failed = 0;

    if (self == other || !xdata_of(other)->dict)
        return 0;
    if (!xdata_of(self)->dict)
        return share(xdata_of(self), other);
    index = glupy_xdata_index_new(xdata_of(other)->dict);
    while (index && !failed && glupy_xdata_index_next(index, &position, &key, &value)) {
        dict_t *to = xdata_writable(xdata_of(self));
        data_t *kept = to ? kept_value(value) : NULL;

        failed = !kept || put(xdata_of(self), to, key, kept) != 0;
        if (kept)
            data_unref(kept);
    }
    glupy_xdata_index_free(index);
    if (failed && !PyErr_Occurred())
        PyErr_NoMemory();
    return index && !failed ? 0 : -1;
}

/* The arguments that dict() takes: 0 or -1 with an exception. */
static int
xdata_fill_from(PyObject *self, PyObject *args, PyObject *kwargs)
{
    bool merge = PyTuple_GET_SIZE(args) == 1 && Py_IS_TYPE(PyTuple_GET_ITEM(args, 0), Py_TYPE(self));
    PyObject *rest = merge ? PyTuple_New(0) : Py_NewRef(args);
    PyObject *dict = rest ? PyObject_Call((PyObject *)&PyDict_Type, rest, kwargs) : NULL;

    Py_XDECREF(rest);
    if (!dict)
        return -1;
    int ret = merge ? xdata_merge(self, PyTuple_GET_ITEM(args, 0)) : 0;
    if (ret == 0)
        ret = xdata_fill(self, dict);
    Py_DECREF(dict);
    return ret;
}

/* Methods. */

PyDoc_STRVAR(get_doc, "get($self, key, default=None, /)\n--\n\nThe value of key, or default.");

static PyObject *
xdata_get(PyObject *self, PyObject *args)
{
    PyObject *key, *value, *fallback = Py_None;

    if (!PyArg_ParseTuple(args, "O|O:get", &key, &fallback))
        return NULL;
    int found = xdata_find(self, key, &value);
    return found > 0 ? value : found < 0 ? NULL : Py_NewRef(fallback);
}

PyDoc_STRVAR(set_doc,
             "set($self, key, value, type, /)\n--\n\n"
             "Store value as the given type of dict.h, for consumers that insist on one: 'int8' to 'int64',\n"
             "'uint8' to 'uint64', 'int' and 'uint' for 64 bits, 'str', 'bytes', 'double', 'gfid', 'iatt' or 'mdata'.\n"
             "Raises OverflowError where a number does not fit, TypeError where the value is of another kind,\n"
             "ValueError for an unknown type.");

static PyObject *
xdata_set(PyObject *self, PyObject *args)
{
    PyObject *key, *value;
    const char *name;

    if (!PyArg_ParseTuple(args, "OOs:set", &key, &value, &name))
        return NULL;
    const struct value_type *type = type_named(name);
    PyObject *bytes = type ? key_bytes(key) : NULL;
    int ret = bytes ? store_as(self, bytes, value, type) : -1;
    Py_XDECREF(bytes);
    return ret < 0 ? NULL : Py_NewRef(Py_None);
}

/* What was read as a type, and whose reference this takes over: NULL with ValueError or OverflowError where it is not of
 * that type after all. */
static PyObject *
checked(PyObject *key, PyObject *value, const struct value_type *type)
{
    int64_t is_signed;
    uint64_t is_unsigned;
    int ret = 0;

    if (!value)
        return NULL;
    if (PyBytes_Check(value) && type->type != GF_DATA_TYPE_PTR) {
        PyErr_Format(PyExc_ValueError, "xdata value for '%.200s' cannot be read as %s: %R", PyBytes_AS_STRING(key),
                     type->name, value);
        ret = -1;
    } else if (type->bits) {
        ret = type->type == GF_DATA_TYPE_INT ? as_signed(key, value, type->bits, &is_signed)
                                             : as_unsigned(key, value, type->bits, &is_unsigned);
    }
    if (ret < 0)
        Py_CLEAR(value);
    return value;
}

PyDoc_STRVAR(get_as_doc,
             "get_as($self, key, type, default=None, /)\n--\n\n"
             "The value of key read as a type of set(), whatever type came with it: extended attributes, and what came\n"
             "from older peers, come without. default where the key is missing. Raises ValueError where the value\n"
             "cannot be read so, OverflowError where a number does not fit.");

static PyObject *
xdata_get_as(PyObject *self, PyObject *args)
{
    PyObject *key, *bytes, *value = NULL, *fallback = Py_None;
    const char *name;
    data_t *data;

    if (!PyArg_ParseTuple(args, "Os|O:get_as", &key, &name, &fallback))
        return NULL;
    const struct value_type *type = type_named(name);
    int found = type ? xdata_data(self, key, &data) : -1;
    if (found <= 0)
        return found < 0 ? NULL : Py_NewRef(fallback);
    bytes = key_bytes(key);
    if (bytes)
        value = checked(bytes, read_as(glupy_state_of(self), data, type->type), type);
    data_unref(data);
    Py_XDECREF(bytes);
    return value;
}

PyDoc_STRVAR(type_doc,
             "type($self, key, /)\n--\n\n"
             "The type that GlusterFS keeps with a value: 'str', 'int', 'uint', 'double', 'bytes', 'gfid', 'iatt',\n"
             "'mdata', or 'unknown'. Raises KeyError where the key is missing.");

static const char *
type_name(gf_dict_data_type_t type)
{
    if (type == GF_DATA_TYPE_STR_OLD)
        type = GF_DATA_TYPE_STR;
    for (size_t i = 0; i < VALUE_TYPES; i++)
        if (value_types[i].type == type)
            return value_types[i].name;
    return "unknown";
}

static PyObject *
xdata_type(PyObject *self, PyObject *key)
{
    data_t *data;
    int found = xdata_data(self, key, &data);

    if (!found)
        PyErr_SetObject(PyExc_KeyError, key);
    if (found <= 0)
        return NULL;
    PyObject *name = PyUnicode_FromString(type_name(data->data_type));
    data_unref(data);
    return name;
}

/* A view of the given class of collections.abc. */
static PyObject *
xdata_view(PyObject *self, const char *name)
{
    PyObject *abc = PyImport_ImportModule("collections.abc");
    PyObject *type = abc ? PyObject_GetAttrString(abc, name) : NULL;
    PyObject *view = type ? PyObject_CallOneArg(type, self) : NULL;

    Py_XDECREF(type);
    Py_XDECREF(abc);
    return view;
}

PyDoc_STRVAR(keys_doc, "keys($self, /)\n--\n\nA view of the keys. Their order is GlusterFS's and means nothing.");

static PyObject *
xdata_keys(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    return xdata_view(self, "KeysView");
}

PyDoc_STRVAR(values_doc, "values($self, /)\n--\n\nA view of the values.");

static PyObject *
xdata_values(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    return xdata_view(self, "ValuesView");
}

PyDoc_STRVAR(items_doc, "items($self, /)\n--\n\nA view of the (key, value) pairs.");

static PyObject *
xdata_items(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    return xdata_view(self, "ItemsView");
}

PyDoc_STRVAR(pop_doc,
             "pop($self, key, default=<unrepresentable>, /)\n--\n\n"
             "Remove key and return its value; default, or KeyError, where it is missing.");

static PyObject *
xdata_pop(PyObject *self, PyObject *args)
{
    PyObject *key, *value, *fallback = NULL;

    if (!PyArg_ParseTuple(args, "O|O:pop", &key, &fallback))
        return NULL;
    int found = xdata_find(self, key, &value);
    if (found < 0)
        return NULL;
    if (!found) {
        if (!fallback)
            PyErr_SetObject(PyExc_KeyError, key);
        return Py_XNewRef(fallback);
    }
    if (xdata_remove(self, key) < 0)
        Py_CLEAR(value);
    return value;
}

PyDoc_STRVAR(popitem_doc, "popitem($self, /)\n--\n\nRemove some key and return (key, value); KeyError where empty.");

static int
take_key(dict_t *dict, char *key, data_t *value, void *taken)
{
    (void)dict;
    (void)value;
    *(PyObject **)taken = glupy_text(key);
    return -1; /* no further */
}

static PyObject *
xdata_popitem(PyObject *self, PyObject *ignored)
{
    PyObject *key = NULL, *value = NULL, *item = NULL;

    (void)ignored;
    if (xdata_of(self)->dict)
        dict_foreach(xdata_of(self)->dict, take_key, &key);
    if (!key && !PyErr_Occurred())
        PyErr_SetString(PyExc_KeyError, "popitem(): xdata is empty");
    if (key && xdata_find(self, key, &value) > 0)
        item = PyTuple_Pack(2, key, value);
    if (item && xdata_remove(self, key) < 0)
        Py_CLEAR(item);
    Py_XDECREF(value);
    Py_XDECREF(key);
    return item;
}

PyDoc_STRVAR(setdefault_doc,
             "setdefault($self, key, default=None, /)\n--\n\n"
             "The value of key, which is set to default first where it is missing.");

static PyObject *
xdata_setdefault(PyObject *self, PyObject *args)
{
    PyObject *key, *value, *fallback = Py_None;

    if (!PyArg_ParseTuple(args, "O|O:setdefault", &key, &fallback))
        return NULL;
    int found = xdata_find(self, key, &value);
    if (found)
        return found > 0 ? value : NULL;
    return PyObject_SetItem(self, key, fallback) < 0 ? NULL : PyObject_GetItem(self, key);
}

PyDoc_STRVAR(update_doc,
             "update($self, other=(), /, **kwargs)\n--\n\n"
             "Store the items of a mapping, or of an iterable of pairs, and the keyword arguments.");

static PyObject *
xdata_update(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return xdata_fill_from(self, args, kwargs) < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(clear_doc, "clear($self, /)\n--\n\nRemove all keys.");

static PyObject *
xdata_clear(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    xdata_release(xdata_of(self));
    return Py_NewRef(Py_None);
}

PyDoc_STRVAR(copy_doc,
             "copy($self, /)\n--\n\nAn independent Xdata of the same content; costs nothing until one is changed.");

static PyObject *
xdata_copy(PyObject *self, PyObject *ignored)
{
    PyObject *copy = glupy_xdata_alloc(glupy_state_of(self), NULL, false);

    (void)ignored;
    if (copy && xdata_of(self)->dict && share(xdata_of(copy), self) != 0)
        Py_CLEAR(copy);
    return copy;
}

static PyMethodDef xdata_methods[] = {
    {"get", xdata_get, METH_VARARGS, get_doc},
    {"set", xdata_set, METH_VARARGS, set_doc},
    {"get_as", xdata_get_as, METH_VARARGS, get_as_doc},
    {"type", xdata_type, METH_O, type_doc},
    {"keys", xdata_keys, METH_NOARGS, keys_doc},
    {"values", xdata_values, METH_NOARGS, values_doc},
    {"items", xdata_items, METH_NOARGS, items_doc},
    {"pop", xdata_pop, METH_VARARGS, pop_doc},
    {"popitem", xdata_popitem, METH_NOARGS, popitem_doc},
    {"setdefault", xdata_setdefault, METH_VARARGS, setdefault_doc},
    {"update", (PyCFunction)(void (*)(void))xdata_update, METH_VARARGS | METH_KEYWORDS, update_doc},
    {"clear", xdata_clear, METH_NOARGS, clear_doc},
    {"copy", xdata_copy, METH_NOARGS, copy_doc},
    {"__copy__", xdata_copy, METH_NOARGS, copy_doc},
    {"__deepcopy__", xdata_copy, METH_O, copy_doc},
    {NULL, NULL, 0, NULL},
};

/* Slots. */

static Py_ssize_t
xdata_length(PyObject *self)
{
    return xdata_of(self)->dict ? dict_key_count(xdata_of(self)->dict) : 0;
}

static PyObject *
xdata_subscript(PyObject *self, PyObject *key)
{
    PyObject *value = NULL;

    if (xdata_find(self, key, &value) == 0)
        PyErr_SetObject(PyExc_KeyError, key);
    return value;
}

static int
xdata_assign(PyObject *self, PyObject *key, PyObject *value)
{
    if (!value)
        return xdata_remove(self, key);
    PyObject *bytes = key_bytes(key);
    if (!bytes)
        return -1;
    int ret = store_value(self, bytes, value);
    Py_DECREF(bytes);
    return ret;
}

static int
xdata_contains(PyObject *self, PyObject *key)
{
    return xdata_find(self, key, NULL);
}

static PyObject *
xdata_iter(PyObject *self)
{
    PyObject *keys = xdata_key_list(self), *iterator = keys ? PyObject_GetIter(keys) : NULL;

    Py_XDECREF(keys);
    return iterator;
}

/* The content of an Xdata or another mapping as a dict. */
static PyObject *
plain_dict(struct glupy_state *state, PyObject *mapping)
{
    if (Py_IS_TYPE(mapping, state->xdata_type))
        return xdata_snapshot(mapping);
    if (PyDict_Check(mapping))
        return Py_NewRef(mapping);
    return PyObject_CallOneArg((PyObject *)&PyDict_Type, mapping);
}

static PyObject *
xdata_compare(PyObject *self, PyObject *other, int op)
{
    struct glupy_state *state = glupy_state_of(self);

    if ((op != Py_EQ && op != Py_NE) || !is_mapping(other))
        Py_RETURN_NOTIMPLEMENTED;
    PyObject *mine = xdata_snapshot(self), *theirs = mine ? plain_dict(state, other) : NULL;
    PyObject *result = theirs ? PyObject_RichCompare(mine, theirs, op) : NULL;
    Py_XDECREF(theirs);
    Py_XDECREF(mine);
    return result;
}

static PyObject *
xdata_repr(PyObject *self)
{
    PyObject *dict = xdata_snapshot(self), *text = dict ? PyUnicode_FromFormat("Xdata(%R)", dict) : NULL;

    Py_XDECREF(dict);
    return text;
}

/* Store the items of a mapping: 0 or -1 with an exception. */
static int
xdata_add(PyObject *self, PyObject *mapping)
{
    PyObject *args = PyTuple_Pack(1, mapping);
    int ret = args ? xdata_fill_from(self, args, NULL) : -1;

    Py_XDECREF(args);
    return ret;
}

/* One operand is an Xdata, the other any mapping; where both have a key, the right one's value counts. */
static PyObject *
xdata_or(PyObject *left, PyObject *right)
{
    if (!is_mapping(left) || !is_mapping(right))
        Py_RETURN_NOTIMPLEMENTED;
    bool is_left = PyType_GetSlot(Py_TYPE(left), Py_nb_or) == (void *)xdata_or;
    PyObject *self = glupy_xdata_alloc(glupy_state_of(is_left ? left : right), NULL, false);
    if (self && (xdata_add(self, left) < 0 || xdata_add(self, right) < 0))
        Py_CLEAR(self);
    return self;
}

static PyObject *
xdata_ior(PyObject *self, PyObject *other)
{
    return xdata_add(self, other) < 0 ? NULL : Py_NewRef(self);
}

static PyObject *
xdata_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct glupy_state *state = glupy_state_of_type(type);
    bool plain = !kwargs || !PyDict_GET_SIZE(kwargs);

    if (plain && PyTuple_GET_SIZE(args) == 1 && Py_IS_TYPE(PyTuple_GET_ITEM(args, 0), type))
        return xdata_copy(PyTuple_GET_ITEM(args, 0), NULL);
    PyObject *self = glupy_xdata_alloc(state, NULL, false);
    if (self && xdata_fill_from(self, args, kwargs) < 0)
        Py_CLEAR(self);
    return self;
}

static void
xdata_dealloc(PyObject *self)
{
    if (xdata_of(self)->owned || xdata_of(self)->index)
        xdata_release(xdata_of(self));
    glupy_spares_give(&glupy_state_of(self)->xdata_spares, self);
}

PyDoc_STRVAR(xdata_doc,
             "Xdata(mapping=(), /, **kwargs)\n--\n\n"
             "A dict_t of GlusterFS (dict.h): extended attributes, and the extra data of requests and replies.\n\n"
             "A mutable mapping. Keys are str (bytes are accepted), not empty and without NUL. Values are read by the\n"
             "type GlusterFS keeps with them, as str, int, float, Gfid, Iatt, Mdata or bytes, and stored likewise: str,\n"
             "bool and int (64 bits; OverflowError beyond), float, Gfid and uuid.UUID, Iatt, Mdata, bytes-like objects.\n"
             "What comes out of another Xdata, by update(), | or copy(), keeps its type. TypeError names the key of any\n"
             "other value. A value has at most 1 MiB (ValueError). Changing the Xdata of a request or a reply changes a\n"
             "copy: other translators that share the dict_t do not see it.");

static PyType_Slot xdata_slots[] = {
    {Py_tp_doc, (void *)xdata_doc},
    {Py_tp_new, xdata_tp_new},
    {Py_tp_dealloc, xdata_dealloc},
    {Py_tp_repr, xdata_repr},
    {Py_tp_richcompare, xdata_compare},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_iter, xdata_iter},
    {Py_tp_methods, xdata_methods},
    {Py_mp_length, xdata_length},
    {Py_mp_subscript, xdata_subscript},
    {Py_mp_ass_subscript, xdata_assign},
    {Py_sq_contains, xdata_contains},
    {Py_nb_or, xdata_or},
    {Py_nb_inplace_or, xdata_ior},
    {0, NULL},
};

static PyType_Spec xdata_spec = {
    .name = "glupy._core.Xdata",
    .basicsize = sizeof(struct glupy_xdata),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_MAPPING,
    .slots = xdata_slots,
};

/* Kind. */

static int
dict_own(PyObject *object)
{
    struct glupy_xdata *self = xdata_of(object);

    if (Py_IsNone(object) || !self->dict || self->owned)
        return 0;
    dict_ref(self->dict);
    self->owned = true;
    return make_independent(self);
}

PyObject *
glupy_xdata_of_mapping(struct glupy_state *state, PyObject *value)
{
    if (is_mapping(value))
        return PyObject_CallOneArg((PyObject *)state->xdata_type, value);
    PyErr_Format(PyExc_TypeError, "expected Xdata, a mapping or None, not %.100s", Py_TYPE(value)->tp_name);
    return NULL;
}

static void
dict_discard(void *held)
{
    glupy_drop_dict(*(dict_t **)held);
}

/* setxattr's dict and its like: an empty one is a dict_t all the same. */
static int
dict_fit(PyObject *object)
{
    if (glupy_fit_not_none(object) != 0)
        return -1;
    return xdata_of(object)->dict || xdata_writable(xdata_of(object)) ? 0 : -1;
}

static PyObject *
dict_adopt(struct glupy_state *state, void *held)
{
    PyObject *self = glupy_xdata_alloc(state, *(dict_t **)held, true);

    if (!self)
        return NULL;
    *(dict_t **)held = NULL;
    if (xdata_of(self)->dict && make_independent(xdata_of(self)) != 0)
        Py_CLEAR(self);
    return self;
}

static int
dict_take(PyObject *object, void *held)
{
    dict_t *dict = glupy_xdata_dict(object);

    return glupy_dict_hold(held, &dict);
}

const struct glupy_kind glupy_kind_dict = {
    .name = "Xdata",
    .passed_size = sizeof(dict_t *),
    .held_size = sizeof(dict_t *),
    .wrap = glupy_dict_wrap,
    .own = dict_own,
    .convert = glupy_dict_convert,
    .fit = dict_fit,
    .pass = glupy_dict_pass,
    .hold = glupy_dict_hold,
    .lend = glupy_dict_lend,
    .drop = glupy_dict_drop,
    .discard = dict_discard,
    .adopt = dict_adopt,
    .take = dict_take,
};

int
glupy_xdata_setup(struct glupy_state *state)
{
    if (glupy_add_type(state, &xdata_spec, &state->xdata_type) < 0)
        return -1;
    PyObject *abc = PyImport_ImportModule("collections.abc");
    PyObject *base = abc ? PyObject_GetAttrString(abc, "MutableMapping") : NULL;
    PyObject *done = base ? PyObject_CallMethod(base, "register", "O", (PyObject *)state->xdata_type) : NULL;
    Py_XDECREF(done);
    Py_XDECREF(base);
    Py_XDECREF(abc);
    return done ? 0 : -1;
}
