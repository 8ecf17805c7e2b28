/* `frame` in Python: who asks. */
#ifndef GLUPY_FRAME_H
#define GLUPY_FRAME_H

#include "base/gluster.h"
#include "python/state.h"

struct glupy_request;

struct glupy_frame {
    PyObject_HEAD
    struct glupy_request *request; /* NULL once the request is answered */
};

/* with frame.as_root(): … ; with frame.as_user(uid, gid, groups): … */
struct glupy_identity {
    PyObject_HEAD
    struct glupy_frame *frame;
    uid_t uid;
    gid_t gid;
    unsigned ngroups;
    gid_t *groups;
    struct glupy_identity *outer; /* what was in force before __enter__ */
    bool entered;
};

/* The frame object of a request: a new reference, or NULL with MemoryError. */
PyObject *glupy_frame_new(struct glupy_state *state, struct glupy_request *request);

/* Attached. A Client (glupy/api/client.py) of GlusterFS's text for it, or NULL with an exception. */
PyObject *glupy_client_new(struct glupy_state *state, const char *uid);

/* A copy of the frame, on a stack of its own, that acts as `identity` unless that is NULL: other layers of the same
 * request keep the one it came with. Not attached. NULL without memory. */
call_frame_t *glupy_frame_copy(call_frame_t *frame, const struct glupy_identity *identity);

/* Create the type. 0, or -1 with an exception. Attached. */
int glupy_frame_setup(struct glupy_state *state);

#endif
