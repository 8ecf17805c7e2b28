/* How a request ends. Decided inside the interpreter, carried out after leaving it. */
#ifndef GLUPY_ANSWER_H
#define GLUPY_ANSWER_H

#include "request.h"

enum glupy_ending {
    GLUPY_UNWIND, /* with a reply */
    GLUPY_FAIL,   /* unwind -1 */
    GLUPY_TAIL,   /* hand the frame to the child */
    GLUPY_END     /* a background task: there is nobody to answer */
};

struct glupy_answer {
    enum glupy_ending how;
    const struct glupy_fop *fop;
    call_frame_t *frame;
    unsigned interpreter;
    int32_t op_ret;
    int32_t op_errno;
    xlator_t *child; /* GLUPY_TAIL */
    dict_t *xdata;   /* GLUPY_FAIL: a reference, or NULL */
    PyObject *keep;  /* GLUPY_TAIL: what the arguments live in, when that is not the caller's memory */
    union {
        union glupy_any_reply_held held; /* GLUPY_UNWIND */
        union glupy_any_args args;       /* GLUPY_TAIL */
    };
};

/* Decide from the request's outcome or exception, take everything out of Python, free the request. Attached.
 * `passed`: the caller's arguments while they are valid, else NULL. */
void glupy_answer_prepare(struct glupy_answer *answer, struct glupy_request *request, const void *passed);

/* Unwind or wind on. Not attached. */
void glupy_answer_deliver(struct glupy_answer *answer, struct glupy_thread *thread, enum glupy_place place);

#endif
