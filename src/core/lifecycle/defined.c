/* What a class defines. See defined.h. */
#include "lifecycle/defined.h"

#include "base/compat.h"
#include "lifecycle/hooks.h"

/* By the fop's name; any_fop stands under its own as well, so that it can be told from a method of the fop's own. What covers
 * it is marked (glupy/loading/xattr_cover.py). */
static void
take_methods(struct glupy_handlers *handlers, PyObject *methods)
{
    PyObject *any_fop = PyDict_GetItemString(methods, "any_fop");

    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++) {
        PyObject *method = PyDict_GetItemString(methods, glupy_fops[i].name);

        handlers->methods[i] = Py_XNewRef(method);
        handlers->takes_call[i] =
            method && (method == any_fop || PyObject_HasAttrString(method, "__glupy_takes_call__"));
        handlers->offloaded[i] = method && PyObject_HasAttrString(method, "__glupy_offload__");
    }
}

/* GlusterFS's thread waits for notify() and stopping() only where there are such. */
static int
take_waited_for(struct glupy_state *state, struct glupy_defined *defined)
{
    PyObject *hears = PyObject_CallMethod(state->runtime, "hears", "O", defined->translator);
    PyObject *stops = hears ? PyObject_CallMethod(state->runtime, "stops", "O", defined->translator) : NULL;

    defined->hears = hears == Py_True;
    defined->stops = stops == Py_True;
    Py_XDECREF(hears);
    Py_XDECREF(stops);
    return stops ? 0 : -1;
}

static int
take_hooks(struct glupy_state *state, struct glupy_defined *defined)
{
    PyObject *found = PyObject_CallMethod(state->runtime, "contexts", "O", defined->translator);

    if (!found)
        return -1;
    defined->inode_factory = Py_XNewRef(PyDict_GetItemString(found, "inode_ctx"));
    defined->fd_factory = Py_XNewRef(PyDict_GetItemString(found, "fd_ctx"));
    for (unsigned i = 0; i < GLUPY_HOOK_COUNT; i++)
        defined->hooks[i] = Py_XNewRef(PyDict_GetItemString(found, glupy_hook_names[i]));
    Py_DECREF(found);
    return 0;
}

struct glupy_defined *
glupy_defined_read(struct glupy_state *state, PyObject *translator, PyObject *methods)
{
    struct glupy_defined *defined = calloc(1, sizeof(*defined));

    if (!defined) {
        PyErr_NoMemory();
        return NULL;
    }
    defined->translator = Py_NewRef(translator);
    take_methods(&defined->handlers, methods);
    if (take_waited_for(state, defined) != 0 || take_hooks(state, defined) != 0) {
        glupy_defined_drop(defined);
        return NULL;
    }
    return defined;
}

static void
exchange(PyObject **one, PyObject **other)
{
    PyObject *kept = *one;

    *one = *other;
    *other = kept;
}

/* Whether a method blocks is looked at outside the interpreter, by fops that come in. */
static void
exchange_handler(struct glupy_handlers *one, struct glupy_handlers *other, unsigned i)
{
    bool takes_call = one->takes_call[i], offloaded = one->offloaded[i];

    exchange(&one->methods[i], &other->methods[i]);
    one->takes_call[i] = other->takes_call[i];
    __atomic_store_n(&one->offloaded[i], other->offloaded[i], __ATOMIC_RELAXED);
    other->takes_call[i] = takes_call;
    other->offloaded[i] = offloaded;
}

void
glupy_defined_exchange(struct glupy_instance *self, struct glupy_defined *defined)
{
    bool hears = self->life.hears, stops = self->life.stops;

    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++)
        exchange_handler(&self->handlers, &defined->handlers, i);
    for (unsigned i = 0; i < GLUPY_HOOK_COUNT; i++)
        exchange(&self->hooks.methods[i], &defined->hooks[i]);
    exchange(&self->contexts.inode_factory, &defined->inode_factory);
    exchange(&self->contexts.fd_factory, &defined->fd_factory);
    exchange(&self->translator, &defined->translator);
    self->life.hears = defined->hears;
    self->life.stops = defined->stops;
    defined->hears = hears;
    defined->stops = stops;
}

void
glupy_defined_drop(struct glupy_defined *defined)
{
    if (!defined)
        return;
    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++)
        Py_XDECREF(defined->handlers.methods[i]);
    for (unsigned i = 0; i < GLUPY_HOOK_COUNT; i++)
        Py_XDECREF(defined->hooks[i]);
    Py_XDECREF(defined->inode_factory);
    Py_XDECREF(defined->fd_factory);
    Py_XDECREF(defined->translator);
    free(defined);
}
