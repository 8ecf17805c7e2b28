/* How a request ends. Decided inside the interpreter, carried out after leaving it. */
#ifndef GLUPY_ANSWER_H
#define GLUPY_ANSWER_H

#include "request/request.h"

enum glupy_ending {
    GLUPY_UNWIND, /* with a reply */
    GLUPY_FAIL,   /* unwind -1 */
    GLUPY_TAIL,   /* hand the frame to the child */
    GLUPY_END     /* there is nobody to answer: a background task, or a fop whose graph is gone */
};

struct glupy_answer {
    enum glupy_ending how;
    const struct glupy_fop *fop;
    call_frame_t *frame;
    unsigned interpreter;
    int32_t op_ret;
    int32_t op_errno;
    xlator_t *child; /* GLUPY_TAIL, as is the next */
    const void *passed; /* what it is handed: the caller's own arguments, or `args` */
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

/* As a flavour decides (flavour.h): a method's or coroutine's outcome, or what it raised. Attached. */
void glupy_answer_native(struct glupy_answer *answer, struct glupy_request *request, const void *passed);

/* The author's code went wrong, the current exception says how. Attached. */
void glupy_answer_mistake(struct glupy_answer *answer, struct glupy_request *request, const void *passed);

/* A successful answer is given what its callers need and what was left out. `changed` has a bit for each field whose entries
 * may have changed in number. Attached. */
void glupy_answer_complete(struct glupy_answer *answer, struct glupy_request *request, unsigned changed);

/* Unwind or wind on. Not attached. */
void glupy_answer_deliver(struct glupy_answer *answer, struct glupy_thread *thread, enum glupy_place place);

#endif
