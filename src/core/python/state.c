/* The module's state. See state.h. */
#include "python/state.h"

#include <pthread.h>

_Atomic(struct glupy_state *) glupy_only_state;

/* Interpreters with a GIL of their own may import the module at the same time. */
static struct {
    pthread_mutex_t lock;
    unsigned count; /* so far */
} begun = {.lock = PTHREAD_MUTEX_INITIALIZER};

void
glupy_state_begins(void)
{
    pthread_mutex_lock(&begun.lock);
    if (++begun.count > 1)
        atomic_store(&glupy_only_state, NULL);
    pthread_mutex_unlock(&begun.lock);
}

void
glupy_state_ready(struct glupy_state *state)
{
    pthread_mutex_lock(&begun.lock);
    if (begun.count == 1)
        atomic_store(&glupy_only_state, state);
    pthread_mutex_unlock(&begun.lock);
}

int
glupy_add_type(struct glupy_state *state, PyType_Spec *spec, PyTypeObject **slot)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(state->module, spec, NULL);

    if (!type)
        return -1;
    *slot = type;
    return PyModule_AddType(state->module, type);
}
