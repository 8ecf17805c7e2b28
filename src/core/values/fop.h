/* What the generator writes of each file operation as data: the descriptor that the rest of the core works from. What calls
 * GlusterFS for it is in request/calls.h. */
#ifndef GLUPY_FOP_H
#define GLUPY_FOP_H

#include "values/kind.h"

#define GLUPY_MAX_ARGS 8
#define GLUPY_MAX_REPLY 6
#define GLUPY_MAX_DICTS 2 /* among the arguments */

/* One value of a fop's arguments or of its reply, and where the generated structures keep it. */
struct glupy_field {
    const char *name;
    const struct glupy_kind *kind;
    uint16_t passed; /* offset in struct glupy_NAME_args or glupy_NAME_reply */
    uint16_t held;   /* offset in struct glupy_NAME_args_held or glupy_NAME_reply_held */
    bool nullable;   /* an argument that may be NULL */
    bool inodeless;  /* a loc whose inode may be NULL: rename's target that does not exist */
};

struct glupy_fop {
    const char *name;
    const char *reply_name; /* "glupy._core.LookupReply" */
    glusterfs_fop_t op;
    uint16_t slot; /* offset in struct xlator_fops */
    uint8_t index; /* in every table by fop: GLUPY_FOP_NAME (fops_gen.h) */
    uint8_t nargs;
    uint8_t nreply;
    bool measured; /* the reply has a field that op_ret tells the length of */
    uint8_t places; /* which arguments are a loc or an fd: a bit for each */
    uint8_t dicts;  /* which are a dict */
    bool pointed;  /* the reply has a pointer that callers follow without looking */
    bool linked;   /* it tells of an inode and, in the field behind that, of its attributes */
    bool partial;  /* the reply has a field that is there only where op_ret says so */
    uint16_t args_passed_size;
    uint16_t args_held_size;
    uint16_t reply_passed_size;
    uint16_t reply_held_size;
    const struct glupy_field *args;
    const struct glupy_field *reply;

    /* What kind.h has for a value, for all of a call's: struct glupy_NAME_args. */
    int (*wrap)(struct glupy_state *, struct glupy_instance *owner, PyObject **args, const void *passed); /* 0, or -1: those
                                                                                              after the first NULL are not set */
    unsigned (*convert)(struct glupy_state *, PyObject **args, PyObject *const *given); /* of a wind, and whether they fit: how
                                                                       many did. Less than all: the next one's exception is set */
    void (*pass)(PyObject *const *args, void *passed);

    /* The same for all of a reply's: struct glupy_NAME_reply_held and struct glupy_NAME_reply. */
    int (*hold)(void *held, const void *passed); /* 0, or -1 with nothing held */
    void (*lend)(void *held, void *passed);
    void (*move)(void *to, void *from); /* `from` is not used again */
    void (*drop)(void *held);
};

static inline void *
glupy_passed(const struct glupy_field *field, const void *passed)
{
    return (char *)passed + field->passed;
}

/* What is passed by a pointer or begins with one; NULL for the rest: numbers of 32 bits are not aligned as pointers are. */
static inline void *
glupy_passed_pointer(const struct glupy_field *field, const void *passed)
{
    return field->kind->passed_size >= sizeof(void *) ? *(void **)glupy_passed(field, passed) : NULL;
}

static inline void *
glupy_held(const struct glupy_field *field, const void *held)
{
    return (char *)held + field->held;
}

/* Release what the first n fields of a held structure own. */
void glupy_fields_drop(const struct glupy_field *fields, unsigned n, void *held);

/* Move a held structure's fields; the source is not to be used again. */
void glupy_fields_move(const struct glupy_field *fields, unsigned n, void *to, void *from);

/* Fill a passed structure from a held one, which stays the owner. */
void glupy_fields_lend(const struct glupy_field *fields, unsigned n, void *held, void *passed);

/* Own what a passed structure points to. 0, or -1 with nothing owned. */
int glupy_fields_hold(const struct glupy_field *fields, unsigned n, void *held, const void *passed);

#endif
