/* A reply is no longer than what was asked for.
 *
 * Callers take what they are sent: fuse hands all of it to the kernel, which refuses a reply of more bytes than it asked for,
 * so that the application gets EIO and the log a line about the fuse device. So what is too long is cut here, as clients of
 * network file systems do with what a server sends, and the log names the translator. */
#ifndef GLUPY_ASKED_H
#define GLUPY_ASKED_H

#include "request/answer.h"
#include "request/wind.h"

/* Is a successful answer of this fop one that glupy_answer_cut() may have to do with? */
static inline bool
glupy_may_be_cut(const struct glupy_fop *fop)
{
    switch (fop->op) {
        case GF_FOP_READ:
        case GF_FOP_READLINK:
        case GF_FOP_WRITE:
        case GF_FOP_COPY_FILE_RANGE:
        case GF_FOP_GETXATTR:
        case GF_FOP_FGETXATTR:
            return true;
        default:
            return false;
    }
}

/* Cut it, and say so. `made`: the author's code has made it, or a part of it. Attached. */
void glupy_answer_cut(struct glupy_answer *answer, struct glupy_request *request, bool made);

/* Does a wind ask for more than the request of the same fop, or bring more? Then its reply has to be seen. Attached. */
bool glupy_wind_asks_more(struct glupy_request *request, struct glupy_wind *wind);

#endif
