/* A wind: `self.child.lookup(loc, xdata)`, not yet begun until it is awaited, gathered or returned. */
#ifndef GLUPY_WIND_H
#define GLUPY_WIND_H

#include <stdatomic.h>

#include "request/awaitable.h"
#include "values/reply.h"

struct glupy_late_wind;

/* Of a wind on a frame of its own that may be given up: its reply comes, or nobody waits for that any more. */
enum glupy_wind_fate { GLUPY_WIND_OUT, GLUPY_WIND_BACK, GLUPY_WIND_LEFT };

struct glupy_wind {
    struct glupy_awaitable base;
    const struct glupy_fop *fop;
    struct glupy_child *child;      /* a reference */
    PyObject *argv[GLUPY_MAX_ARGS]; /* normalised */
    union glupy_any_args passed;    /* filled when it is armed: what the prototype takes, lent by argv */
    dict_t *dicts[GLUPY_MAX_DICTS]; /* references while the wind is out */
    struct glupy_reply *reply;      /* filled by the callback, without the interpreter */
    struct glupy_wind *next_to_wind;
    call_frame_t *own_frame;        /* under frame.as_root(): a copy of the request's with another identity */
    struct glupy_identity *identity; /* in force where the wind was made */
    bool errors_are_values;         /* or_error() */
    bool can_be_left;               /* it is out, on a frame of its own, and the request need not wait for it */
    _Atomic(enum glupy_wind_fate) fate;
    struct glupy_late_wind *late;   /* once it is left */
    inode_table_t *table;           /* that the operation is about; NULL for one about no file (ipc, getspec) */
};

/* Can it be handed to the child together with the frame? Not when it has to act as somebody else. */
bool glupy_wind_can_tail(PyObject *wind);

bool glupy_is_wind(PyObject *object);

/* Attached. A wind without arguments: a new reference, or NULL with MemoryError. */
struct glupy_wind *glupy_wind_new(struct glupy_state *state, const struct glupy_fop *fop, PyObject *child);

/* May it go out from this request: are its child and arguments alive, and of the request's own graph? 0, or -1 with
 * ReferenceError or ValueError. Attached. wind_arm() asks by itself; who hands the frame over (a tail wind) has to. */
int glupy_wind_check(struct glupy_wind *self, struct glupy_request *request);

/* Fill *passed with the wind's arguments for a tail wind. Attached. `callers`: what the request's own fop was passed,
 * while that is valid, else NULL. True when all is numbers or lies in the caller's memory, so that the wind need not be
 * kept while it is used. */
bool glupy_wind_tail_args(struct glupy_wind *self, struct glupy_request *request, const void *callers,
                          union glupy_any_args *passed);

/* A wind of `fop` to a Child as glupy_child_call() makes it, but for what is not given here: that is as in `callers`,
 * the arguments that a request came with. A keyword GLUPY_CHILD_KEYWORD is the caller's own and passed over. Attached. */
PyObject *glupy_wind_again(PyObject *child, const struct glupy_fop *fop, PyObject *const *callers,
                           PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);

/* The call that the request came with, to the first child. Attached. A new reference, or NULL with an exception. */
PyObject *glupy_wind_same(struct glupy_request *request);

#define GLUPY_CHILD_KEYWORD "child" /* no fop has an argument of that name: tests/unit/test_handlers.py */

/* Carry out what the last step armed. Not attached. */
void glupy_wind_all(struct glupy_request *request);

/* Create the type. 0, or -1 with an exception. Attached. */
int glupy_wind_setup(struct glupy_state *state);

#endif
