/* Memory of objects that have ended, for the next of their type.
 *
 * Each fop makes and drops the same few objects: its frame, loc and xdata, a wind, a reply. Taking their memory from
 * Python's allocator and giving it back costs about as much as all that is done with them. A spare object keeps its type
 * and its reference to it; an interpreter's lists are guarded by its GIL. Where somebody is to see each object end (the
 * address sanitizer, Python's own bookkeeping of objects), nothing is kept. */
#ifndef GLUPY_SPARES_H
#define GLUPY_SPARES_H

#include "base/compat.h"

#if defined(__SANITIZE_ADDRESS__) || defined(Py_REF_DEBUG)
#define GLUPY_MOST_SPARES 0
#else
#define GLUPY_MOST_SPARES 64
#endif

struct glupy_spares {
    PyObject *first;
    unsigned count;
};

/* Where a spare object leads to the next one: right behind its header. */
static inline PyObject **
glupy_spare_next(PyObject *object)
{
    return (PyObject **)(void *)(object + 1);
}

/* As PyObject_New(), for a type without garbage collection: what follows the header is not set. Attached. */
static inline PyObject *
glupy_spares_take(struct glupy_spares *spares, PyTypeObject *type)
{
    PyObject *object = spares->first;

    if (!object)
        return glupy_disown(PyObject_New(PyObject, type));
    spares->first = *glupy_spare_next(object);
    spares->count--;
    Py_SET_REFCNT(object, 1);
    return object;
}

/* The end of a dealloc: as PyObject_Free() and letting go of the type. Attached. */
static inline void
glupy_spares_give(struct glupy_spares *spares, PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

#if GLUPY_MOST_SPARES
    if (spares->count < GLUPY_MOST_SPARES) {
        *glupy_spare_next(object) = spares->first;
        spares->first = object;
        spares->count++;
        return;
    }
#else
    (void)spares;
#endif
    PyObject_Free(object);
    Py_DECREF(type);
}

#endif
