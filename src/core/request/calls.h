/* Where GlusterFS and a fop of Python's call each other. The functions of each fop are generated (calls_gen.c); they lead to
 * what is declared here, and do nothing else. */
#ifndef GLUPY_CALLS_H
#define GLUPY_CALLS_H

#include "values/fops_gen.h"

/* What the core calls GlusterFS by. */
struct glupy_fop_calls {
    /* STACK_WIND_COOKIE to the child's slot; the reply comes to glupy_wind_done(cookie, …). False, and nothing wound,
     * where the child has no such fop (compound has no default). `passed` is a struct glupy_NAME_args. */
    bool (*wind)(call_frame_t *frame, void *cookie, xlator_t *child, const void *passed);

    /* STACK_WIND_TAIL: the frame is the child's afterwards. False as above. */
    bool (*tail)(call_frame_t *frame, xlator_t *child, const void *passed);

    /* STACK_UNWIND_STRICT. `passed` is a struct glupy_NAME_reply. The frame is gone afterwards. */
    void (*unwind)(call_frame_t *frame, int32_t op_ret, int32_t op_errno, const void *passed);
};

extern const struct glupy_fop_calls glupy_fop_calls[GLUPY_FOP_COUNT];

static inline const struct glupy_fop_calls *
glupy_calls_of(const struct glupy_fop *fop)
{
    return &glupy_fop_calls[fop->index];
}

/* Every slot filled with our dispatcher; an instance takes over those that its class defines. */
extern const struct xlator_fops glupy_dispatchers;

/* The methods of Child, one a fop. */
extern PyMethodDef glupy_child_methods[];

/* The generated dispatchers call this: frame->this is ours and Python defines the fop. */
void glupy_enter_fop(call_frame_t *frame, xlator_t *this, const struct glupy_fop *fop, const void *passed);

/* The generated callbacks call this with the reply's struct glupy_NAME_reply, valid for the call only. */
void glupy_wind_done(void *cookie, int32_t op_ret, int32_t op_errno, const void *passed);

/* The generated methods of Child call this. */
PyObject *glupy_child_call(PyObject *child, const struct glupy_fop *fop, PyObject *const *args, Py_ssize_t nargs,
                           PyObject *kwnames);

#endif
