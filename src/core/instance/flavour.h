/* In which way a translator is written: as a class whose methods are called with Python objects (request/native.c), or for
 * the first glupy (classic/). A request goes the same way in both; what differs is this table. */
#ifndef GLUPY_FLAVOUR_H
#define GLUPY_FLAVOUR_H

#include "base/compat.h"

struct glupy_answer;
struct glupy_instance;
struct glupy_request;

struct glupy_flavour {
    /* Attached, while it is loaded. Is the instance's translator of this flavour? Then what it needs for that is made. 1 or
     * 0, or -1 with an exception. */
    int (*adopt)(struct glupy_instance *instance);
    /* Attached. The xlator_t goes. NULL: nothing was made. */
    void (*let_go)(struct glupy_instance *instance);

    /* All attached, by the request's runner; the request is a fop's. */

    /* Call what the author wrote for the fop. `passed` is its struct glupy_NAME_args, for this call only. */
    void (*start)(struct glupy_request *request, const void *passed);
    /* The caller is about to go: what was made of his arguments becomes its own owner. */
    void (*own)(struct glupy_request *request);
    /* The loc_t or fd_t that argument i is, or NULL when it is gone. Also not attached, while the request rests. */
    void *(*argument)(struct glupy_request *request, unsigned i);
    /* Fill *passed with argument i as C passes it. A reference to what it lives in, or NULL, maybe with an exception: it is
     * gone. */
    PyObject *(*passed)(struct glupy_request *request, unsigned i, void *passed);
    /* How is it to be answered, now that nothing of it runs any more? */
    void (*answer)(struct glupy_answer *answer, struct glupy_request *request, const void *passed);
    /* It is answered: let go of its arguments. */
    void (*free)(struct glupy_request *request);
};

#endif
