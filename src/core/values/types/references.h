/* References: Python types that stand for a counted object of a graph's inode table (Inode, Fd).
 *
 * A wrapper borrows the caller's reference until it is made the owner of one of its own; what owns one is known to
 * holders.h, and points to NULL once the graph is gone. This is the part that does not differ between the two: the
 * life of the wrapper, comparison, and the functions of its kind (kind.h), whose held value is the pointer. */
#ifndef GLUPY_TYPES_REFERENCES_H
#define GLUPY_TYPES_REFERENCES_H

#include <stddef.h>

#include "values/types/types.h"

/* What is told of an inode or fd when no inode_t or fd_t stands behind it any more. */
struct glupy_gone {
    PyObject *ctx; /* a reference, or NULL */
    uuid_t gfid;
    ia_type_t ia_type;
    inode_t *inode; /* of an fd: a reference, or NULL */
    uint64_t pid;
    int32_t flags;
    bool anonymous;
};

/* Whoever keeps what authors hang on inodes and fds (instance/context.c); glupy_state.contexts leads there. All attached. */
struct glupy_context_keeper {
    /* A new reference, or NULL with an exception. One of `inode` and `fd` is given, with a reference of the caller's. */
    PyObject *(*get)(struct glupy_instance *owner, inode_t *inode, fd_t *fd);
    /* NULL removes it. 0, or -1 with an exception. */
    int (*set)(struct glupy_instance *owner, inode_t *inode, fd_t *fd, PyObject *value);
    /* Nobody stands for it any more. */
    void (*free)(struct glupy_gone *gone);
};

struct glupy_reference_type {
    const char *name;                      /* as Python shows it: "Inode" */
    size_t slot;                           /* of its Python type in struct glupy_state */
    size_t spares;                         /* of its struct glupy_spares there */
    void (*ref)(void *target);             /* inode_ref, fd_ref */
    void (*unref)(void *target);           /* their opposites: never with the interpreter attached */
    void (*drop)(void *target);            /* drops.h */
    bool is_fd;
    inode_table_t *(*table)(void *target); /* that it belongs to */
};

/* A wrapper that takes over the reference it is given; None for NULL. When it fails with MemoryError the reference is
 * still the caller's. `owner` may be NULL where it will be set later. */
PyObject *glupy_reference_adopt(const struct glupy_reference_type *type, struct glupy_state *state,
                                struct glupy_instance *owner, void *target);

/* One that takes a reference of its own; None for NULL. */
PyObject *glupy_reference_new(const struct glupy_reference_type *type, struct glupy_state *state,
                              struct glupy_instance *owner, void *target);

/* One that stands for what has gone, for hooks. It takes `gone` over, also when it fails. */
PyObject *glupy_reference_gone(const struct glupy_reference_type *type, struct glupy_state *state,
                               struct glupy_instance *owner, struct glupy_gone *gone);

/* What it stands for, or NULL with ReferenceError once it, or its graph, is gone. */
void *glupy_reference_alive(PyObject *self);

/* What it stood for when it went; NULL for all that a hook was not called with. */
struct glupy_gone *glupy_reference_gone_as(PyObject *self);

/* The attribute ctx. */
PyObject *glupy_reference_get_ctx(PyObject *self, void *unused);
int glupy_reference_set_ctx(PyObject *self, PyObject *value, void *unused);

/* Slots: equal when they stand for the same object. */
void glupy_reference_dealloc(PyObject *self);
PyObject *glupy_reference_compare(PyObject *self, PyObject *other, int op);
Py_hash_t glupy_reference_hash(PyObject *self);

#define GLUPY_REFERENCE_SLOTS                                                                                        \
    {Py_tp_dealloc, glupy_reference_dealloc}, {Py_tp_richcompare, glupy_reference_compare},                          \
    {Py_tp_hash, glupy_reference_hash}

/* The functions of a reference's kind. */
PyObject *glupy_reference_wrap(const struct glupy_reference_type *type, struct glupy_state *state, struct glupy_instance *owner,
                               const void *passed);
PyObject *glupy_reference_convert(const struct glupy_reference_type *type, struct glupy_state *state, PyObject *value);
int glupy_reference_own(PyObject *object);
void glupy_reference_pass(PyObject *object, void *passed);
int glupy_reference_hold(const struct glupy_reference_type *type, void *held, const void *passed);
void glupy_reference_lend(void *held, void *passed);
void glupy_reference_drop(const struct glupy_reference_type *type, void *held);
void glupy_reference_discard(const struct glupy_reference_type *type, void *held);
PyObject *glupy_reference_kind_adopt(const struct glupy_reference_type *type, struct glupy_state *state, void *held);
int glupy_reference_take(const struct glupy_reference_type *type, PyObject *object, void *held);

/* NAME_reference and glupy_kind_NAME for NAME_t, which is counted by NAME_ref() and NAME_unref() and belongs to the
 * inode table that the expression TABLE of a `NAME_t *NAME` leads to. */
#define GLUPY_REFERENCE_KIND(NAME, TITLE, TABLE)                                                                     \
    static void NAME##_add(void *target)                                                                             \
    {                                                                                                                \
        NAME##_ref(target);                                                                                          \
    }                                                                                                                \
    static void NAME##_remove(void *target)                                                                          \
    {                                                                                                                \
        NAME##_unref(target);                                                                                        \
    }                                                                                                                \
    static void NAME##_drop(void *target)                                                                            \
    {                                                                                                                \
        glupy_drop_##NAME(target);                                                                                   \
    }                                                                                                                \
    static inode_table_t *NAME##_table(void *target)                                                                 \
    {                                                                                                                \
        NAME##_t *NAME = target;                                                                                     \
                                                                                                                     \
        return (TABLE);                                                                                              \
    }                                                                                                                \
    static const struct glupy_reference_type NAME##_reference = {                                                    \
        .name = (TITLE),                                                                                             \
        .slot = offsetof(struct glupy_state, NAME##_type),                                                           \
        .spares = offsetof(struct glupy_state, NAME##_spares),                                                       \
        .ref = NAME##_add,                                                                                           \
        .unref = NAME##_remove,                                                                                      \
        .drop = NAME##_drop,                                                                                         \
        .is_fd = __builtin_types_compatible_p(NAME##_t, fd_t),                                                       \
        .table = NAME##_table,                                                                                       \
    };                                                                                                               \
    static PyObject *NAME##_kind_wrap(struct glupy_state *state, struct glupy_instance *owner, const void *passed)   \
    {                                                                                                                \
        return glupy_reference_wrap(&NAME##_reference, state, owner, passed);                                        \
    }                                                                                                                \
    static PyObject *NAME##_kind_convert(struct glupy_state *state, PyObject *value)                                 \
    {                                                                                                                \
        return glupy_reference_convert(&NAME##_reference, state, value);                                             \
    }                                                                                                                \
    static int NAME##_kind_hold(void *held, const void *passed)                                                      \
    {                                                                                                                \
        return glupy_reference_hold(&NAME##_reference, held, passed);                                                \
    }                                                                                                                \
    static void NAME##_kind_drop(void *held)                                                                         \
    {                                                                                                                \
        glupy_reference_drop(&NAME##_reference, held);                                                               \
    }                                                                                                                \
    static void NAME##_kind_discard(void *held)                                                                      \
    {                                                                                                                \
        glupy_reference_discard(&NAME##_reference, held);                                                            \
    }                                                                                                                \
    static PyObject *NAME##_kind_adopt(struct glupy_state *state, void *held)                                        \
    {                                                                                                                \
        return glupy_reference_kind_adopt(&NAME##_reference, state, held);                                           \
    }                                                                                                                \
    static int NAME##_kind_take(PyObject *object, void *held)                                                        \
    {                                                                                                                \
        return glupy_reference_take(&NAME##_reference, object, held);                                                \
    }                                                                                                                \
    const struct glupy_kind glupy_kind_##NAME = {                                                                    \
        .name = (TITLE),                                                                                             \
        .passed_size = sizeof(NAME##_t *),                                                                           \
        .held_size = sizeof(NAME##_t *),                                                                             \
        .owner = offsetof(struct glupy_reference, owner),                                                            \
        .wrap = NAME##_kind_wrap,                                                                                    \
        .own = glupy_reference_own,                                                                                  \
        .convert = NAME##_kind_convert,                                                                              \
        .fit = glupy_fit_not_none,                                                                                   \
        .pass = glupy_reference_pass,                                                                                \
        .hold = NAME##_kind_hold,                                                                                    \
        .lend = glupy_reference_lend,                                                                                \
        .drop = NAME##_kind_drop,                                                                                    \
        .discard = NAME##_kind_discard,                                                                              \
        .adopt = NAME##_kind_adopt,                                                                                  \
        .take = NAME##_kind_take,                                                                                    \
    }

#endif
