/* The flavour of translators that are classes with methods: what all are that are no others'. */
#ifndef GLUPY_NATIVE_H
#define GLUPY_NATIVE_H

#include "instance/flavour.h"
#include "request/request.h"

extern const struct glupy_flavour glupy_native;

/* Can this wind be handed to the child with the frame? Not when it acts as somebody else, or its reply has to be seen.
 * Attached. */
bool glupy_can_tail(struct glupy_request *request, PyObject *wind);

#endif
