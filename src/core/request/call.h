/* Call: one call of any fop, as the handler any_fop gets it. */
#ifndef GLUPY_CALL_H
#define GLUPY_CALL_H

#include "request/request.h"

/* Attached. Call the method of a fop that has any_fop in place of one of its own, as (frame, Call). The request's
 * arguments are wrapped already. What it returned, or NULL with an exception. */
PyObject *glupy_call_any(struct glupy_request *request, PyObject *method);

/* Create the type. 0, or -1 with an exception. Attached. */
int glupy_call_setup(struct glupy_state *state);

#endif
