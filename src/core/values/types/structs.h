/* Records: Python types that stand for one C structure each (Iatt, Statvfs, Flock, Lease).
 *
 * A record object points into the caller's memory while it borrows and to its own copy afterwards; the first write to
 * a borrowing record makes it own. Its fields are the type's getset table: an entry made by GLUPY_RECORD_FIELD is a
 * member of the structure and takes part in construction, comparison, repr, copying and pickling; an entry without
 * closure is a derived property, which the constructor and replace() accept as well if it has a setter. The first
 * entry of every table is a field: it leads from the type to its `struct glupy_record`. */
#ifndef GLUPY_TYPES_STRUCTS_H
#define GLUPY_TYPES_STRUCTS_H

#include <stddef.h>

#include "values/types/types.h"

struct glupy_record {
    const char *name; /* as Python shows it: "Iatt" */
    size_t size;      /* of the C structure */
    void (*copy)(void *to, const void *from); /* NULL: all of its bytes */
};

struct glupy_record_field {
    const struct glupy_record *record;
    size_t offset;
    size_t size;
    /* Check a Python value and store it in *member: 0, or -1 with an exception and *member unchanged. */
    int (*set)(const struct glupy_record_field *, struct glupy_state *, PyObject *value, void *member);
};

/* One entry of a record type's getset table. */
#define GLUPY_RECORD_FIELD(RECORD, STRUCT, MEMBER, GET, SET, DOC)                                                    \
    {                                                                                                                \
        .name = #MEMBER, .get = (GET), .set = glupy_record_set, .doc = (DOC),                                        \
        .closure = (void *)&(const struct glupy_record_field){                                                              \
            .record = (RECORD),                                                                                      \
            .offset = offsetof(STRUCT, MEMBER),                                                                      \
            .size = sizeof(((STRUCT *)0)->MEMBER),                                                                   \
            .set = (SET),                                                                                            \
        },                                                                                                           \
    }
#define GLUPY_RECORD_UNSIGNED(RECORD, STRUCT, MEMBER, DOC)                                                           \
    GLUPY_RECORD_FIELD(RECORD, STRUCT, MEMBER, glupy_record_get_unsigned, glupy_record_set_unsigned, DOC)
#define GLUPY_RECORD_SIGNED(RECORD, STRUCT, MEMBER, DOC)                                                             \
    GLUPY_RECORD_FIELD(RECORD, STRUCT, MEMBER, glupy_record_get_signed, glupy_record_set_signed, DOC)

/* Where the structures of types.h keep the pointer and the object's own copy. */
#define GLUPY_RECORD_POINTER sizeof(PyObject)
#define GLUPY_RECORD_OWN (sizeof(PyObject) + sizeof(void *))

static inline void *
glupy_record_data(PyObject *self)
{
    void *data;
    memcpy(&data, (char *)self + GLUPY_RECORD_POINTER, sizeof(data));
    return data;
}

static inline void *
glupy_record_member(PyObject *self, const struct glupy_record_field *field)
{
    return (char *)glupy_record_data(self) + field->offset;
}

/* Getters and setters of integer members of 1, 2, 4 or 8 bytes. Setters raise TypeError for what is no integer and
 * OverflowError for what does not fit the member. */
PyObject *glupy_record_get_unsigned(PyObject *self, void *field);
PyObject *glupy_record_get_signed(PyObject *self, void *field);
int glupy_record_set_unsigned(const struct glupy_record_field *, struct glupy_state *, PyObject *value, void *member);
int glupy_record_set_signed(const struct glupy_record_field *, struct glupy_state *, PyObject *value, void *member);

/* An unsigned integer up to `largest`: 0, or -1 with TypeError or OverflowError. */
int glupy_record_unsigned(PyObject *value, unsigned long long largest, unsigned long long *number);

/* The setter of every field: makes the record own its structure, then calls the field's own `set`. */
int glupy_record_set(PyObject *self, PyObject *value, void *field);

/* Creating records. glupy_record_empty leaves the content undefined, glupy_record_new is tp_new. */
PyObject *glupy_record_empty(PyTypeObject *type);
PyObject *glupy_record_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);
PyObject *glupy_record_copy(PyTypeObject *type, const void *data);
PyObject *glupy_record_from_attributes(PyTypeObject *type, PyObject *source); /* named as the fields; None is 0 */

/* Slots and methods. */
void glupy_record_dealloc(PyObject *self);
PyObject *glupy_record_repr(PyObject *self);
PyObject *glupy_record_compare(PyObject *self, PyObject *other, int op);
PyObject *glupy_record_replace(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *glupy_record_newargs(PyObject *self, PyObject *unused);

#define GLUPY_RECORD_REPLACE_DOC                                                                                     \
    "replace($self, /, **fields)\n--\n\nA copy with the given fields changed. Raises TypeError for an unknown field\n"\
    "and whatever setting the field raises."
#define GLUPY_RECORD_METHODS                                                                                         \
    {"replace", (PyCFunction)(void (*)(void))glupy_record_replace, METH_VARARGS | METH_KEYWORDS,                     \
     GLUPY_RECORD_REPLACE_DOC},                                                                                      \
    {"__replace__", (PyCFunction)(void (*)(void))glupy_record_replace, METH_VARARGS | METH_KEYWORDS,                 \
     GLUPY_RECORD_REPLACE_DOC},                                                                                      \
    {"__getnewargs_ex__", glupy_record_newargs, METH_NOARGS, "Arguments that make a copy: for copy and pickle."}

#define GLUPY_RECORD_SLOTS                                                                                           \
    {Py_tp_new, glupy_record_new}, {Py_tp_dealloc, glupy_record_dealloc},                                            \
    {Py_tp_richcompare, glupy_record_compare}, {Py_tp_hash, PyObject_HashNotImplemented}

/* The functions of a record's kind (kind.h); a record's held value is the structure itself. */
PyObject *glupy_record_wrap(PyTypeObject *type, const void *passed);
PyObject *glupy_record_convert(PyTypeObject *type, PyObject *value);
int glupy_record_own(PyObject *object);
void glupy_record_pass(PyObject *object, void *passed);
int glupy_record_hold(const struct glupy_record *record, void *held, const void *passed);
void glupy_record_lend(void *held, void *passed);
void glupy_record_drop(void *held);
int glupy_record_take(const struct glupy_record *record, PyObject *object, void *held);

/* glupy_kind_NAME for the record RECORD, whose objects are `struct glupy_NAME` with the pointer MEMBER to a STRUCT. */
#define GLUPY_RECORD_KIND(NAME, STRUCT, MEMBER, RECORD, TITLE)                                                       \
    _Static_assert(offsetof(struct glupy_##NAME, MEMBER) == GLUPY_RECORD_POINTER, "a record starts with its pointer");\
    _Static_assert(offsetof(struct glupy_##NAME, own) == GLUPY_RECORD_OWN, "a record's own copy follows its pointer");\
                                                                                                                     \
    static PyObject *NAME##_wrap(struct glupy_state *state, struct glupy_instance *owner, const void *passed)        \
    {                                                                                                                \
        (void)owner;                                                                                                 \
        return glupy_record_wrap(state->NAME##_type, passed);                                                        \
    }                                                                                                                \
    static PyObject *NAME##_convert(struct glupy_state *state, PyObject *value)                                      \
    {                                                                                                                \
        return glupy_record_convert(state->NAME##_type, value);                                                      \
    }                                                                                                                \
    static int NAME##_hold(void *held, const void *passed)                                                           \
    {                                                                                                                \
        return glupy_record_hold((RECORD), held, passed);                                                            \
    }                                                                                                                \
    static PyObject *NAME##_adopt(struct glupy_state *state, void *held)                                             \
    {                                                                                                                \
        return glupy_record_copy(state->NAME##_type, held);                                                          \
    }                                                                                                                \
    static int NAME##_take(PyObject *object, void *held)                                                             \
    {                                                                                                                \
        return glupy_record_take((RECORD), object, held);                                                            \
    }                                                                                                                \
    const struct glupy_kind glupy_kind_##NAME = {                                                                    \
        .name = (TITLE),                                                                                             \
        .passed_size = sizeof(STRUCT *),                                                                             \
        .held_size = sizeof(STRUCT),                                                                                 \
        .form = GLUPY_RECORD,                                                                                        \
        .wrap = NAME##_wrap,                                                                                         \
        .own = glupy_record_own,                                                                                     \
        .convert = NAME##_convert,                                                                                   \
        .fit = glupy_fit_not_none,                                                                                   \
        .pass = glupy_record_pass,                                                                                   \
        .hold = NAME##_hold,                                                                                         \
        .discard = glupy_record_drop,                                                                                \
        .lend = glupy_record_lend,                                                                                   \
        .drop = glupy_record_drop,                                                                                   \
        .adopt = NAME##_adopt,                                                                                       \
        .take = NAME##_take,                                                                                         \
    }

/* Shared with LockList, whose entries hold a lock each: the members and only the used part of the owner. */
void glupy_flock_copy(void *to, const void *from);

/* Copy a lock owner's length, kept within its limits, and that many bytes. */
void glupy_lk_owner_copy(gf_lkowner_t *to, const gf_lkowner_t *from);

#endif
