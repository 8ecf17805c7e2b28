/* The kinds without a type of their own: integers, text, checksums, opaque pointers. */
#include "values/types/types.h"

static void
drop_nothing(void *held)
{
    (void)held;
}

/* An integer kind: SIGNED or not, of the width that the C prototype has. */
#define INTEGER_KIND(NAME, TYPE, WRAP, CHECK, GET)                                                                     \
    static PyObject *NAME##_wrap(struct glupy_state *state, struct glupy_instance *owner, const void *passed)          \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        (void)owner;                                                                                                   \
        return WRAP(*(const TYPE *)passed);                                                                            \
    }                                                                                                                  \
    static PyObject *NAME##_convert(struct glupy_state *state, PyObject *value)                                        \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        return CHECK(value);                                                                                           \
    }                                                                                                                  \
    static void NAME##_pass(PyObject *object, void *passed)                                                            \
    {                                                                                                                  \
        *(TYPE *)passed = (TYPE)GET(object);                                                                           \
    }                                                                                                                  \
    static int NAME##_hold(void *held, const void *passed)                                                             \
    {                                                                                                                  \
        *(TYPE *)held = *(const TYPE *)passed;                                                                         \
        return 0;                                                                                                      \
    }                                                                                                                  \
    static void NAME##_lend(void *held, void *passed)                                                                  \
    {                                                                                                                  \
        *(TYPE *)passed = *(TYPE *)held;                                                                               \
    }                                                                                                                  \
    static PyObject *NAME##_adopt(struct glupy_state *state, void *held)                                               \
    {                                                                                                                  \
        return NAME##_wrap(state, NULL, held);                                                                         \
    }                                                                                                                  \
    static int NAME##_take(PyObject *object, void *held)                                                               \
    {                                                                                                                  \
        NAME##_pass(object, held);                                                                                     \
        return 0;                                                                                                      \
    }                                                                                                                  \
    const struct glupy_kind glupy_kind_##NAME = {                                                                      \
        .name = #NAME,                                                                                                 \
        .passed_size = sizeof(TYPE),                                                                                   \
        .held_size = sizeof(TYPE),                                                                                     \
        .form = GLUPY_NUMBER,                                                                                          \
        .wrap = NAME##_wrap,                                                                                           \
        .convert = NAME##_convert,                                                                                     \
        .pass = NAME##_pass,                                                                                           \
        .hold = NAME##_hold,                                                                                           \
        .lend = NAME##_lend,                                                                                           \
        .drop = drop_nothing,                                                                                          \
        .discard = drop_nothing,                                                                                       \
        .adopt = NAME##_adopt,                                                                                         \
        .take = NAME##_take,                                                                                           \
    }

/* An int (or what has __index__, an IntEnum among them) between low and high. */
static PyObject *
check_signed(PyObject *value, long long low, long long high)
{
    PyObject *number = PyNumber_Index(value);
    int overflow = 0;
    long long got = number ? PyLong_AsLongLongAndOverflow(number, &overflow) : 0;

    if (!number) {
        PyErr_Format(PyExc_TypeError, "expected int, not %s", Py_TYPE(value)->tp_name);
    } else if (overflow || got < low || got > high) {
        PyErr_Format(PyExc_OverflowError, "%R is not between %lld and %lld", number, low, high);
        Py_CLEAR(number);
    }
    return number;
}

static PyObject *
check_unsigned(PyObject *value, unsigned long long high)
{
    PyObject *number = PyNumber_Index(value);
    unsigned long long got = number ? PyLong_AsUnsignedLongLong(number) : 0;

    if (!number) {
        PyErr_Format(PyExc_TypeError, "expected int, not %s", Py_TYPE(value)->tp_name);
    } else if (PyErr_Occurred() || got > high) {
        PyErr_Clear();
        PyErr_Format(PyExc_OverflowError, "%R is not between 0 and %llu", number, high);
        Py_CLEAR(number);
    }
    return number;
}

static PyObject *
check_int32(PyObject *value)
{
    return check_signed(value, INT32_MIN, INT32_MAX);
}

static PyObject *
check_int64(PyObject *value)
{
    return check_signed(value, INT64_MIN, INT64_MAX);
}

static PyObject *
check_uint32(PyObject *value)
{
    return check_unsigned(value, UINT32_MAX);
}

static PyObject *
check_uint64(PyObject *value)
{
    return check_unsigned(value, UINT64_MAX);
}

INTEGER_KIND(int32, int32_t, PyLong_FromLong, check_int32, PyLong_AsLong);
INTEGER_KIND(uint32, uint32_t, PyLong_FromUnsignedLong, check_uint32, PyLong_AsUnsignedLong);
INTEGER_KIND(int64, int64_t, PyLong_FromLongLong, check_int64, PyLong_AsLongLong);
INTEGER_KIND(uint64, uint64_t, PyLong_FromUnsignedLongLong, check_uint64, PyLong_AsUnsignedLongLong);

/* string: str outside, bytes once normalised, char * held by malloc */

static PyObject *
string_wrap(struct glupy_state *state, struct glupy_instance *owner, const void *passed)
{
    const char *text = *(const char *const *)passed;

    (void)state;
    (void)owner;
    return text ? glupy_text(text) : Py_NewRef(Py_None);
}

static PyObject *
string_convert(struct glupy_state *state, PyObject *value)
{
    (void)state;
    return value == Py_None ? Py_NewRef(value) : glupy_text_bytes(value);
}

static void
string_pass(PyObject *object, void *passed)
{
    *(const char **)passed = object == Py_None ? NULL : PyBytes_AS_STRING(object);
}

static int
string_hold(void *held, const void *passed)
{
    const char *text = *(const char *const *)passed;

    *(char **)held = text ? strdup(text) : NULL;
    return text && !*(char **)held ? -1 : 0;
}

static void
string_lend(void *held, void *passed)
{
    *(char **)passed = *(char **)held;
}

static void
string_drop(void *held)
{
    free(*(char **)held);
}

static PyObject *
string_adopt(struct glupy_state *state, void *held)
{
    char **text = held;
    PyObject *object = *text ? PyBytes_FromString(*text) : Py_NewRef(Py_None);

    (void)state;
    if (object) {
        free(*text);
        *text = NULL;
    }
    return object;
}

static int
string_take(PyObject *object, void *held)
{
    const char *text;

    string_pass(object, &text);
    if (string_hold(held, &text) == 0)
        return 0;
    PyErr_NoMemory();
    return -1;
}

const struct glupy_kind glupy_kind_string = {
    .name = "str",
    .passed_size = sizeof(char *),
    .held_size = sizeof(char *),
    .wrap = string_wrap,
    .convert = string_convert,
    .fit = glupy_fit_not_none,
    .pass = string_pass,
    .hold = string_hold,
    .lend = string_lend,
    .drop = string_drop,
    .discard = string_drop,
    .adopt = string_adopt,
    .take = string_take,
};

/* checksum: rchecksum's strong checksum, bytes in Python */

static PyObject *
checksum_wrap(struct glupy_state *state, struct glupy_instance *owner, const void *passed)
{
    const uint8_t *bytes = *(const uint8_t *const *)passed;

    (void)state;
    (void)owner;
    return bytes ? PyBytes_FromStringAndSize((const char *)bytes, GLUPY_CHECKSUM_LEN) : Py_NewRef(Py_None);
}

static PyObject *
checksum_convert(struct glupy_state *state, PyObject *value)
{
    (void)state;
    if (value == Py_None)
        return Py_NewRef(value);
    if (!PyBytes_Check(value))
        return PyErr_Format(PyExc_TypeError, "expected bytes, not %s", Py_TYPE(value)->tp_name);
    if (PyBytes_GET_SIZE(value) != GLUPY_CHECKSUM_LEN)
        return PyErr_Format(PyExc_ValueError, "expected %d bytes, not %zd", GLUPY_CHECKSUM_LEN, PyBytes_GET_SIZE(value));
    return Py_NewRef(value);
}

static void
checksum_pass(PyObject *object, void *passed)
{
    *(uint8_t **)passed = object == Py_None ? NULL : (uint8_t *)PyBytes_AS_STRING(object);
}

static int
checksum_hold(void *held, const void *passed)
{
    const uint8_t *bytes = *(const uint8_t *const *)passed;
    struct glupy_checksum *sum = held;

    sum->set = bytes != NULL;
    if (bytes)
        memcpy(sum->bytes, bytes, sizeof(sum->bytes));
    else
        memset(sum->bytes, 0, sizeof(sum->bytes)); /* lent all the same: consumers read it */
    return 0;
}

static void
checksum_lend(void *held, void *passed)
{
    *(uint8_t **)passed = ((struct glupy_checksum *)held)->bytes;
}

static PyObject *
checksum_adopt(struct glupy_state *state, void *held)
{
    struct glupy_checksum *sum = held;
    const uint8_t *bytes = sum->set ? sum->bytes : NULL;

    return checksum_wrap(state, NULL, &bytes);
}

static int
checksum_take(PyObject *object, void *held)
{
    uint8_t *bytes;

    checksum_pass(object, &bytes);
    return checksum_hold(held, &bytes);
}

const struct glupy_kind glupy_kind_checksum = {
    .name = "bytes",
    .passed_size = sizeof(uint8_t *),
    .held_size = sizeof(struct glupy_checksum),
    .wrap = checksum_wrap,
    .convert = checksum_convert,
    .pass = checksum_pass,
    .hold = checksum_hold,
    .lend = checksum_lend,
    .drop = drop_nothing,
    .discard = drop_nothing,
    .adopt = checksum_adopt,
    .take = checksum_take,
};

/* opaque: compound's void *, which nobody can look into; a capsule that only goes back where it came from */

static PyObject *
opaque_wrap(struct glupy_state *state, struct glupy_instance *owner, const void *passed)
{
    void *pointer = *(void *const *)passed;

    (void)state;
    (void)owner;
    return pointer ? PyCapsule_New(pointer, "glupy.opaque", NULL) : Py_NewRef(Py_None);
}

static PyObject *
opaque_convert(struct glupy_state *state, PyObject *value)
{
    (void)state;
    if (value == Py_None || PyCapsule_IsValid(value, "glupy.opaque"))
        return Py_NewRef(value);
    return PyErr_Format(PyExc_TypeError, "expected None or what the fop was given, not %s", Py_TYPE(value)->tp_name);
}

static void
opaque_pass(PyObject *object, void *passed)
{
    *(void **)passed = object == Py_None ? NULL : PyCapsule_GetPointer(object, "glupy.opaque");
}

static int
opaque_hold(void *held, const void *passed)
{
    *(void **)held = *(void *const *)passed;
    return 0;
}

static void
opaque_lend(void *held, void *passed)
{
    *(void **)passed = *(void **)held;
}

static PyObject *
opaque_adopt(struct glupy_state *state, void *held)
{
    return opaque_wrap(state, NULL, held);
}

static int
opaque_take(PyObject *object, void *held)
{
    opaque_pass(object, held);
    return 0;
}

const struct glupy_kind glupy_kind_opaque = {
    .name = "opaque",
    .passed_size = sizeof(void *),
    .held_size = sizeof(void *),
    .wrap = opaque_wrap,
    .convert = opaque_convert,
    .pass = opaque_pass,
    .hold = opaque_hold,
    .lend = opaque_lend,
    .drop = drop_nothing,
    .discard = drop_nothing,
    .adopt = opaque_adopt,
    .take = opaque_take,
};
