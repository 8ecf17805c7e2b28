/* What the record types (see structs.h) have in common. */
#include "values/types/structs.h"

static void *
record_own(PyObject *self)
{
    return (char *)self + GLUPY_RECORD_OWN;
}

static void
record_point(PyObject *self, void *data)
{
    memcpy((char *)self + GLUPY_RECORD_POINTER, &data, sizeof(data));
}

static const struct glupy_record *
record_of(PyTypeObject *type)
{
    return ((const struct glupy_record_field *)type->tp_getset->closure)->record;
}

static void
record_bytes(const struct glupy_record *record, void *to, const void *from)
{
    if (record->copy)
        record->copy(to, from);
    else
        memcpy(to, from, record->size);
}

/* Integer members. */

static unsigned long long
member_unsigned(const void *member, size_t size)
{
    switch (size) {
    case 1:
        return *(const uint8_t *)member;
    case 2:
        return *(const uint16_t *)member;
    case 4:
        return *(const uint32_t *)member;
    default:
        return *(const uint64_t *)member;
    }
}

static void
member_store(void *member, size_t size, unsigned long long number)
{
    switch (size) {
    case 1:
        *(uint8_t *)member = (uint8_t)number;
        break;
    case 2:
        *(uint16_t *)member = (uint16_t)number;
        break;
    case 4:
        *(uint32_t *)member = (uint32_t)number;
        break;
    default:
        *(uint64_t *)member = number;
    }
}

PyObject *
glupy_record_get_unsigned(PyObject *self, void *closure)
{
    const struct glupy_record_field *field = closure;
    return PyLong_FromUnsignedLongLong(member_unsigned(glupy_record_member(self, field), field->size));
}

PyObject *
glupy_record_get_signed(PyObject *self, void *closure)
{
    const struct glupy_record_field *field = closure;
    int unused = (int)(64 - 8 * field->size);
    unsigned long long bits = member_unsigned(glupy_record_member(self, field), field->size);
    return PyLong_FromLongLong((long long)(bits << unused) >> unused);
}

int
glupy_record_unsigned(PyObject *value, unsigned long long largest, unsigned long long *number)
{
    PyObject *index = PyNumber_Index(value);
    if (!index)
        return -1;
    unsigned long long result = PyLong_AsUnsignedLongLong(index);
    bool failed = result == (unsigned long long)-1 && PyErr_Occurred();
    Py_DECREF(index);
    if (failed && !PyErr_ExceptionMatches(PyExc_OverflowError))
        return -1;
    if (failed || result > largest) {
        PyErr_Format(PyExc_OverflowError, "expected an integer from 0 to %llu, not %R", largest, value);
        return -1;
    }
    *number = result;
    return 0;
}

int
glupy_record_set_unsigned(const struct glupy_record_field *field, struct glupy_state *state, PyObject *value, void *member)
{
    unsigned long long number;
    if (glupy_record_unsigned(value, ~0ULL >> (64 - 8 * field->size), &number))
        return -1;
    member_store(member, field->size, number);
    return 0;
}

int
glupy_record_set_signed(const struct glupy_record_field *field, struct glupy_state *state, PyObject *value, void *member)
{
    PyObject *index = PyNumber_Index(value);
    if (!index)
        return -1;
    long long largest = (long long)(~0ULL >> (65 - 8 * field->size));
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (overflow || number > largest || number < -largest - 1) {
        PyErr_Format(PyExc_OverflowError, "expected an integer from %lld to %lld, not %R", -largest - 1, largest,
                     value);
        return -1;
    }
    member_store(member, field->size, (unsigned long long)number);
    return 0;
}

int
glupy_record_set(PyObject *self, PyObject *value, void *closure)
{
    const struct glupy_record_field *field = closure;
    if (!value) {
        PyErr_Format(PyExc_AttributeError, "a field of %s cannot be deleted", field->record->name);
        return -1;
    }
    glupy_record_own(self);
    return field->set(field, glupy_state_of(self), value, glupy_record_member(self, field));
}

/* Fields by name. */

/* {name: value} of all fields. */
static PyObject *
record_fields(PyObject *self)
{
    PyObject *fields = PyDict_New();
    if (!fields)
        return NULL;
    for (const PyGetSetDef *def = Py_TYPE(self)->tp_getset; def->name; def++) {
        if (!def->closure)
            continue;
        PyObject *value = def->get(self, def->closure);
        if (!value || PyDict_SetItemString(fields, def->name, value)) {
            Py_XDECREF(value);
            Py_DECREF(fields);
            return NULL;
        }
        Py_DECREF(value);
    }
    return fields;
}

static int
record_assign(PyObject *self, PyObject *name, PyObject *value)
{
    for (const PyGetSetDef *def = Py_TYPE(self)->tp_getset; def->name; def++)
        if (def->set && PyUnicode_CompareWithASCIIString(name, def->name) == 0)
            return def->set(self, value, def->closure);
    PyErr_Format(PyExc_TypeError, "%s has no field '%U' that can be set", record_of(Py_TYPE(self))->name, name);
    return -1;
}

/* Set the fields that keyword arguments give; takes over `self`, which may be NULL. */
static PyObject *
record_assign_all(PyObject *self, PyObject *kwargs)
{
    PyObject *name, *value;
    Py_ssize_t position = 0;
    while (self && kwargs && PyDict_Next(kwargs, &position, &name, &value))
        if (record_assign(self, name, value))
            Py_CLEAR(self);
    return self;
}

static bool
record_takes_only_keywords(PyTypeObject *type, PyObject *args)
{
    if (!PyTuple_GET_SIZE(args))
        return true;
    PyErr_Format(PyExc_TypeError, "%s: fields are given by keyword", record_of(type)->name);
    return false;
}

/* Creating. */

/* Not tp_alloc: that clears the memory, and most records borrow or are filled at once. */
PyObject *
glupy_record_empty(PyTypeObject *type)
{
    PyObject *self = PyObject_New(PyObject, type);
    if (self)
        record_point(self, record_own(self));
    return self;
}

static PyObject *
record_zeroed(PyTypeObject *type)
{
    PyObject *self = glupy_record_empty(type);
    if (self)
        memset(record_own(self), 0, record_of(type)->size);
    return self;
}

PyObject *
glupy_record_copy(PyTypeObject *type, const void *data)
{
    PyObject *self = glupy_record_empty(type);
    if (self)
        record_bytes(record_of(type), record_own(self), data);
    return self;
}

PyObject *
glupy_record_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (!record_takes_only_keywords(type, args))
        return NULL;
    return record_assign_all(record_zeroed(type), kwargs);
}

static int
record_assign_attribute(PyObject *self, const PyGetSetDef *def, PyObject *source)
{
    PyObject *value = PyObject_GetAttrString(source, def->name);
    if (!value)
        return -1;
    int result = Py_IsNone(value) ? 0 : def->set(self, value, def->closure);
    Py_DECREF(value);
    return result;
}

PyObject *
glupy_record_from_attributes(PyTypeObject *type, PyObject *source)
{
    PyObject *self = record_zeroed(type);
    for (const PyGetSetDef *def = type->tp_getset; self && def->name; def++)
        if (def->closure && record_assign_attribute(self, def, source))
            Py_CLEAR(self);
    return self;
}

/* Slots and methods. */

void
glupy_record_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_Free(self);
    Py_DECREF(type);
}

PyObject *
glupy_record_repr(PyObject *self)
{
    PyObject *fields = record_fields(self);
    if (!fields)
        return NULL;
    PyObject *text = PyUnicode_FromFormat("%s(", record_of(Py_TYPE(self))->name);
    PyObject *name, *value;
    Py_ssize_t position = 0;
    const char *comma = "";
    while (text && PyDict_Next(fields, &position, &name, &value)) {
        Py_SETREF(text, PyUnicode_FromFormat("%U%s%U=%R", text, comma, name, value));
        comma = ", ";
    }
    Py_DECREF(fields);
    if (text)
        Py_SETREF(text, PyUnicode_FromFormat("%U)", text));
    return text;
}

PyObject *
glupy_record_compare(PyObject *self, PyObject *other, int op)
{
    if (Py_TYPE(self) != Py_TYPE(other) || (op != Py_EQ && op != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    PyObject *mine = record_fields(self);
    PyObject *theirs = mine ? record_fields(other) : NULL;
    PyObject *result = theirs ? PyObject_RichCompare(mine, theirs, op) : NULL;
    Py_XDECREF(mine);
    Py_XDECREF(theirs);
    return result;
}

PyObject *
glupy_record_replace(PyObject *self, PyObject *args, PyObject *kwargs)
{
    if (!record_takes_only_keywords(Py_TYPE(self), args))
        return NULL;
    return record_assign_all(glupy_record_copy(Py_TYPE(self), glupy_record_data(self)), kwargs);
}

PyObject *
glupy_record_newargs(PyObject *self, PyObject *unused)
{
    PyObject *fields = record_fields(self);
    return fields ? Py_BuildValue("(()N)", fields) : NULL;
}

/* Kinds. */

PyObject *
glupy_record_wrap(PyTypeObject *type, const void *passed)
{
    void *data;
    memcpy(&data, passed, sizeof(data));
    if (!data)
        Py_RETURN_NONE;
    PyObject *self = glupy_record_empty(type);
    if (self)
        record_point(self, data);
    return self;
}

PyObject *
glupy_record_convert(PyTypeObject *type, PyObject *value)
{
    if (Py_IS_TYPE(value, type) || Py_IsNone(value))
        return Py_NewRef(value);
    return PyErr_Format(PyExc_TypeError, "expected %s, not %.100s", record_of(type)->name, Py_TYPE(value)->tp_name);
}

int
glupy_record_own(PyObject *object)
{
    if (Py_IsNone(object))
        return 0;
    void *data = glupy_record_data(object), *own = record_own(object);
    if (data != own) {
        record_bytes(record_of(Py_TYPE(object)), own, data);
        record_point(object, own);
    }
    return 0;
}

void
glupy_record_pass(PyObject *object, void *passed)
{
    void *data = Py_IsNone(object) ? NULL : glupy_record_data(object);
    memcpy(passed, &data, sizeof(data));
}

static int
record_fill(const struct glupy_record *record, void *held, const void *data)
{
    if (data)
        record_bytes(record, held, data);
    else
        memset(held, 0, record->size);
    return 0;
}

int
glupy_record_hold(const struct glupy_record *record, void *held, const void *passed)
{
    const void *data;
    memcpy(&data, passed, sizeof(data));
    return record_fill(record, held, data);
}

void
glupy_record_lend(void *held, void *passed)
{
    memcpy(passed, &held, sizeof(held));
}

/* A record's structure owns nothing else. */
void
glupy_record_drop(void *held)
{
}

int
glupy_record_take(const struct glupy_record *record, PyObject *object, void *held)
{
    return record_fill(record, held, Py_IsNone(object) ? NULL : glupy_record_data(object));
}
