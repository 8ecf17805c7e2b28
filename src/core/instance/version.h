/* One loading of a translator's file: what the class was then, and who is at work in it. An instance has one that new requests
 * begin in; those that it had before stay as long as a request or task that they began is inside (lifecycle/reload.h). */
#ifndef GLUPY_VERSION_H
#define GLUPY_VERSION_H

#include "base/compat.h"
#include "base/gluster.h"

struct glupy_instance;
struct glupy_state;

/* All under the interpreter's lock. In Python it is opaque: Translator has it, and says by it whose a task is. */
struct glupy_version {
    PyObject_HEAD
    struct glupy_instance *instance; /* NULL once that is gone */
    PyObject *translator;            /* the author's object; NULL before it is made and after its fini() */
    unsigned requests;               /* fops inside */
    unsigned tasks;                  /* background tasks that have not ended */
    bool replaced;                   /* nothing new begins in it but by its own tasks and requests */
    bool ended;                      /* its fini() has been called, or is not to be */
    bool lingers;                    /* only tasks are left, and their time runs */
    struct list_head link;           /* in the instance's list, which has a reference, once it is replaced */
};

/* Attached. A new one, of nobody's yet; NULL with an exception. */
struct glupy_version *glupy_version_new(struct glupy_state *state, struct glupy_instance *instance);

/* Attached. It is replaced: from now on it is kept in the instance's list, and the reference to it is the list's. */
void glupy_version_retire(struct glupy_version *version);

/* Attached. Take it out of that list if nobody needs it there any more. It may be gone afterwards. */
void glupy_version_release(struct glupy_version *version);

/* Create the type. 0, or -1 with an exception. Attached. */
int glupy_version_setup(struct glupy_state *state);

#endif
