/* Who has something: enough to say so later, when he may be gone. */
#ifndef GLUPY_USER_H
#define GLUPY_USER_H

#include "request/request.h"

#define GLUPY_USER_TEXT 120u

struct glupy_user {
    const char *fop; /* "task" for background tasks; NULL: code that runs outside any request */
    uint64_t unique; /* of the call's stack, as in GlusterFS's own statedump */
    uuid_t gfid;
    char about[GLUPY_USER_TEXT]; /* a path's end, a coroutine's name, or nothing */
};

/* Attached, in a step of the request's or while it waits. NULL: outside any. */
void glupy_user_is(struct glupy_user *self, struct glupy_request *request);

/* "lookup of /x (unique 17)". Not attached. */
void glupy_user_say(struct glupy_user *self, struct glupy_line *line);

#endif
