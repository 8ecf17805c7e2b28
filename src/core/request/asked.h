/* A reply is no longer than what was asked for.
 *
 * Callers take what they are sent: fuse hands all of it to the kernel, which refuses a reply of more bytes than it asked for,
 * so that the application gets EIO and the log a line about the fuse device. So what is too long is cut here, as clients of
 * network file systems do with what a server sends, and the log names the translator. */
#ifndef GLUPY_ASKED_H
#define GLUPY_ASKED_H

#include "request/answer.h"
#include "request/wind.h"

/* What cuts a successful answer of a fop, and says so. `made`: the author's code has made it, or a part of it. Attached. */
typedef void (*glupy_cutter)(struct glupy_answer *answer, struct glupy_request *request, bool made);

/* By GlusterFS's number of the fop; NULL: it has nothing that could be too long. */
extern const glupy_cutter glupy_cutters[GF_FOP_MAXVALUE];

static inline void
glupy_answer_cut(struct glupy_answer *answer, struct glupy_request *request, bool made)
{
    glupy_cutter cut = glupy_cutters[answer->fop->op];

    if (cut)
        cut(answer, request, made);
}

/* Does a wind ask for more than the request of the same fop, or bring more? Then its reply has to be seen. Attached. */
bool glupy_wind_asks_more(struct glupy_request *request, struct glupy_wind *wind);

#endif
