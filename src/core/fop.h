/* What the generator writes for each file operation: the descriptor that the rest of the core works from. */
#ifndef GLUPY_FOP_H
#define GLUPY_FOP_H

#include "kind.h"

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
    uint8_t nargs;
    uint8_t nreply;
    bool measured; /* the reply has a field that op_ret tells the length of */
    bool pointed;  /* the reply has a pointer that callers follow without looking */
    uint16_t args_passed_size;
    uint16_t args_held_size;
    uint16_t reply_held_size;
    const struct glupy_field *args;
    const struct glupy_field *reply;

    /* STACK_WIND_COOKIE to the child's slot; the reply comes to glupy_wind_done(cookie, …). False, and nothing wound,
     * where the child has no such fop (compound has no default). `passed` is a struct glupy_NAME_args. */
    bool (*wind)(call_frame_t *frame, void *cookie, xlator_t *child, const void *passed);

    /* STACK_WIND_TAIL: the frame is the child's afterwards. False as above. */
    bool (*tail)(call_frame_t *frame, xlator_t *child, const void *passed);

    /* STACK_UNWIND_STRICT. `passed` is a struct glupy_NAME_reply. The frame is gone afterwards. */
    void (*unwind)(call_frame_t *frame, int32_t op_ret, int32_t op_errno, const void *passed);
};

static inline void *
glupy_passed(const struct glupy_field *field, const void *passed)
{
    return (char *)passed + field->passed;
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

/* The generated dispatchers call this: frame->this is ours and Python defines the fop. */
void glupy_enter_fop(call_frame_t *frame, xlator_t *this, const struct glupy_fop *fop, const void *passed);

/* The generated callbacks call this with the reply's struct glupy_NAME_reply, valid for the call only. */
void glupy_wind_done(void *cookie, int32_t op_ret, int32_t op_errno, const void *passed);

/* The generated methods of Child call this. */
PyObject *glupy_child_call(PyObject *child, const struct glupy_fop *fop, PyObject *const *args, Py_ssize_t nargs,
                           PyObject *kwnames);

#endif
