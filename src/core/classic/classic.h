/* The classic API: translators written for the first glupy, in which a fop is a function that winds and its callback
 * another that unwinds, and what they are given are ctypes pointers to GlusterFS's own structures.
 *
 * A classic request is a request like any other (request.h) and is answered in the same place (answer.c). What differs is
 * what its steps are: not the sends of a coroutine but calls, first of X_fop and then of the X_cbk of what was wound.
 * During such a call the script's dl.wind_X or dl.unwind_X only *decides* (classic_decide.c): what was decided is carried
 * out after the interpreter has been left, and only if the call came to a good end. So a call that raises, or decides
 * twice, or not at all, has done nothing yet, and the request is answered with EIO. */
#ifndef GLUPY_CLASSIC_H
#define GLUPY_CLASSIC_H

#include "classic/classic_given.h"
#include "request/request.h"
#include "values/reply.h"

/* What a C parameter is in Python: a number, bytes, or a pointer of one of the types below. */
enum glupy_classic_type {
    GLUPY_CLASSIC_FRAME,
    GLUPY_CLASSIC_XLATOR,
    GLUPY_CLASSIC_LOC,
    GLUPY_CLASSIC_INODE,
    GLUPY_CLASSIC_FD,
    GLUPY_CLASSIC_DICT,
    GLUPY_CLASSIC_IATT,
    GLUPY_CLASSIC_STATVFS,
    GLUPY_CLASSIC_FLOCK,
    GLUPY_CLASSIC_LEASE,
    GLUPY_CLASSIC_DIRENT,
    GLUPY_CLASSIC_LOCKLIST,
    GLUPY_CLASSIC_IOVEC,
    GLUPY_CLASSIC_IOBREF,
    GLUPY_CLASSIC_BYTES,
    GLUPY_CLASSIC_POINTERS, /* how many types of pointers there are */
    GLUPY_CLASSIC_INT32 = GLUPY_CLASSIC_POINTERS,
    GLUPY_CLASSIC_UINT32,
    GLUPY_CLASSIC_INT64,
    GLUPY_CLASSIC_UINT64,
    GLUPY_CLASSIC_STRING,
    GLUPY_CLASSIC_OPAQUE,
};

struct glupy_classic_param {
    uint8_t type;
    uint16_t passed; /* offset in struct glupy_NAME_args or glupy_NAME_reply */
};

#define GLUPY_CLASSIC_MAX_PARAMS 11

/* Generated (classic_gen.c): the C parameters of a fop and of its callback, after those that all have, and the functions
 * behind dl.wind_NAME and dl.unwind_NAME. */
struct glupy_classic_fop {
    uint8_t nparams, ncbk_params;
    struct glupy_classic_param params[GLUPY_CLASSIC_MAX_PARAMS];
    struct glupy_classic_param cbk_params[GLUPY_CLASSIC_MAX_PARAMS];
    void (*wind)(void);
    void (*unwind)(void);
};

extern const struct glupy_classic_fop glupy_classic_fops[GLUPY_FOP_COUNT];

/* A ctypes pointer object of ours, and where in it the pointer stands. */
struct glupy_pointer {
    PyObject *object;
    void **slot;
    void *value;
    enum glupy_classic_type type;
};

#define GLUPY_CLASSIC_SPARE 64
#if defined(__SANITIZE_ADDRESS__) /* which is to see each request end */
#define GLUPY_CLASSIC_SPARE_REQUESTS 0
#else
#define GLUPY_CLASSIC_SPARE_REQUESTS 16
#endif
#define GLUPY_CLASSIC_BUCKETS 512u

/* What one interpreter knows of the classic API, once gluster.glupy was imported. */
struct glupy_classic_state {
    PyObject *types[GLUPY_CLASSIC_POINTERS]; /* POINTER(call_frame_t) and so on */
    PyObject *text_type;                     /* of what a char * becomes */
    bool plain;                              /* pointer objects are laid out as classic_call.c needs it */
    struct glupy_pointer spare[GLUPY_CLASSIC_POINTERS][GLUPY_CLASSIC_SPARE];
    unsigned nspare[GLUPY_CLASSIC_POINTERS];
    struct list_head frames[GLUPY_CLASSIC_BUCKETS]; /* the live requests, by their frame */
    struct list_head instances;                     /* struct glupy_classic */
    struct glupy_classic_request *spare_requests; /* memory of those that have ended */
    unsigned nspare_requests;
    struct glupy_given *spare_given;
    unsigned nspare_given;
    PyObject *measure; /* gluster.glupy's function that refuses a vector that is too short for its count */
    long last_id;
};

/* What an instance has when its module is a classic one. */
struct glupy_classic {
    struct list_head link; /* in glupy_classic_state.instances */
    xlator_t *this;
    PyObject *callbacks[GLUPY_FOP_COUNT];
    struct glupy_pointer this_pointer;
};

/* A pointer object that the script has kept beyond the call that it was given to. */
struct glupy_kept {
    struct glupy_pointer pointer;
    bool of_reply;
};

enum glupy_decision { GLUPY_UNDECIDED, GLUPY_WOUND, GLUPY_UNWOUND };

struct glupy_classic_request {
    struct list_head link; /* in glupy_classic_state.frames */
    struct glupy_request *request;
    struct glupy_pointer frame;
    long id; /* dl.get_id(frame) */

    bool calling;                 /* a function of the script's runs, and may decide */
    enum glupy_decision decision; /* what it decided */
    PyObject *misuse;             /* the exception of a second decision */
    struct glupy_wind *wind;      /* GLUPY_WOUND: a reference */
    bool as_came;                 /* GLUPY_UNWOUND: with the latest reply, unchanged */
    bool callers;                 /* args is the caller's memory, which is still there */
    bool lent;                    /* GLUPY_WOUND: all pointers are the caller's own */

    union glupy_any_args args;      /* what the fop was passed */
    void *held_args;                /* what args points to once the caller has gone */
    struct glupy_given *args_given; /* what the script was given of them; NULL: it has no function for the fop */
    struct glupy_reply *reply;      /* the latest, a reference; NULL before the first */
    union glupy_any_reply reply_passed; /* what it has, lent by it */
    struct glupy_given *reply_given;    /* what its callback was given of it; NULL: there is none */
    PyObject *replies;                  /* list: earlier ones to which the script has kept pointers, */
    struct glupy_given *earlier;        /* and what it was given of them */

    const struct glupy_fop *held_fop; /* of the wind that is out: what of its arguments had to be copied */
    void *held;
    unsigned held_fields; /* a bit a field */

    struct glupy_kept *kept;
    unsigned nkept, room;

    struct glupy_classic_request *next_spare;
};

/* classic_pointers.c: pointer objects. All attached. */

/* A new pointer object; its reference is the caller's until glupy_pointer_drop. False with an exception. */
bool glupy_pointer_new(struct glupy_classic_state *state, enum glupy_classic_type type, void *value,
                       struct glupy_pointer *pointer);

/* Give the reference up. The object is used again when nobody else has it; else it stays as it is. */
void glupy_pointer_drop(struct glupy_classic_state *state, struct glupy_pointer *pointer);

/* What it pointed to goes: a copy that the script kept is NULL from now on, which ctypes refuses to follow. */
void glupy_pointer_end(struct glupy_classic_state *state, struct glupy_pointer *pointer);

/* Find out whether objects keep the address of their pointer where classic_call.c looks for it. False with an exception. */
bool glupy_pointers_check(struct glupy_classic_state *state);

/* The live request of a frame, or NULL. */
struct glupy_classic_request *glupy_classic_find(struct glupy_classic_state *state, const call_frame_t *frame);

void glupy_classic_register(struct glupy_classic_state *state, struct glupy_classic_request *self);

/* classic.c: instances and requests. All attached. */

/* A translator is a classic one if it has `_classic_callbacks`, a dict by fop. */
extern const struct glupy_flavour glupy_classic_flavour;

/* What the flavour keeps with an instance and with a request; NULL where it has nothing (yet). */
static inline struct glupy_classic *
glupy_classic_of(const struct glupy_instance *instance)
{
    return instance->flavoured;
}

static inline struct glupy_classic_request *
glupy_classic_request_of(const struct glupy_request *request)
{
    return request->flavoured;
}

/* Methods of glupy._core, for gluster.glupy. */
PyObject *glupy_classic_setup_method(PyObject *module, PyObject *types);
PyObject *glupy_classic_frame_method(PyObject *module, PyObject *frame);
PyObject *glupy_classic_calls_method(PyObject *module, PyObject *unused);
PyObject *glupy_classic_this_method(PyObject *module, PyObject *instance);
PyObject *glupy_classic_call_method(PyObject *module, PyObject *args);
PyObject *glupy_classic_library_method(PyObject *module, PyObject *cdll);

/* classic_decide.c. Attached. */

/* What dl.wind_NAME and dl.unwind_NAME do: decide, or raise. `passed` as in fop.h. */
void glupy_classic_wind(call_frame_t *frame, xlator_t *child, const struct glupy_fop *fop, const void *passed);
void glupy_classic_unwind(call_frame_t *frame, const struct glupy_fop *fop, int32_t op_ret, int32_t op_errno,
                          const void *passed);

/* The same where the frame is known to be this request's, and strings are bytes objects', so that they can be read without
 * asking. `passed` of an unwind may be changed. */
void glupy_classic_wind_sound(struct glupy_classic_request *self, xlator_t *child, const struct glupy_fop *fop,
                              const void *passed);
void glupy_classic_unwind_sound(struct glupy_classic_request *self, const struct glupy_fop *fop, int32_t op_ret,
                                int32_t op_errno, void *passed);

/* The interpreter that the thread is in has this state. False with ImportError. */
bool glupy_classic_know(struct glupy_classic_state *classic);

long glupy_classic_get_id(call_frame_t *frame);
uint64_t glupy_classic_get_rootunique(call_frame_t *frame);

/* Decide to wind the request's fop as it came. False with an exception. */
bool glupy_classic_decide_as_came(struct glupy_classic_request *self);

/* Take back what was decided. */
void glupy_classic_undecide(struct glupy_classic_request *self);

/* Give up the copies that a wind's arguments lived in. */
void glupy_classic_drop_held(struct glupy_classic_request *self);

/* Create the type. 0, or -1 with an exception. Attached. */
int glupy_classic_call_setup(struct glupy_state *state);

#endif
