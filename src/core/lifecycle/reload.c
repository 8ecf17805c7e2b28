/* Loading anew. See reload.h. */
#include "lifecycle/reload.h"

#include "base/compat.h"
#include "instance/replicas.h"
#include "lifecycle/defined.h"
#include "lifecycle/table.h"
#include "python/main_thread.h"
#include "python/ticks.h"
#include "request/background.h"

/* The end of one that was replaced */

void
glupy_call_fini(struct glupy_instance *self, PyObject *translator)
{
    PyObject *result = PyObject_CallMethod(self->state->runtime, "fini", "O", translator);

    if (!result)
        glupy_log_exception_doing(self, "fini");
    Py_XDECREF(result);
}

/* Once. It may be gone afterwards. */
static void
end_version(struct glupy_version *version)
{
    PyObject *translator = version->translator;

    if (version->ended)
        return;
    version->ended = true;
    version->translator = NULL;
    if (translator)
        glupy_call_fini(version->instance, translator);
    Py_XDECREF(translator);
    glupy_version_release(version);
}

/* Tasks that outlive the last request have some seconds, counted by one of glupy's own. */
static void
linger(struct glupy_version *version)
{
    struct glupy_instance *self = version->instance;
    PyObject *result;

    if (version->lingers || self->tasks.going)
        return;
    version->lingers = true;
    result = PyObject_CallMethod(self->state->runtime, "linger", "OO", self, version);
    if (!result)
        glupy_log_exception_doing(self, "reload");
    Py_XDECREF(result);
}

static void
left_attached(void *arg)
{
    struct glupy_version *version = arg;
    struct glupy_instance *self = version->instance;

    if (self->this && !self->life.ended && !version->ended && !version->requests) {
        if (version->tasks)
            linger(version);
        else
            end_version(version);
    }
    glupy_version_release(version);
    Py_DECREF(version);
    Py_DECREF(self);
}

/* On whatever thread the last one left. */
static void
left(struct glupy_version *version)
{
    struct glupy_instance *self = version->instance;
    xlator_t *old_this = THIS;

    if (!self->this || version->ended) {
        glupy_version_release(version);
        return;
    }
    Py_INCREF(self);
    Py_INCREF(version);
    THIS = self->this;
    glupy_main_post(self->state->interpreter, "fini()", left_attached, version);
    THIS = old_this;
}

/* One that is not to be taken: begun in vain, or replaced by nobody because the graph goes. */
static void
retire_made(struct glupy_instance *self)
{
    struct glupy_version *version = self->versions.making;

    self->versions.making = NULL;
    glupy_defined_drop(self->versions.next);
    self->versions.next = NULL;
    glupy_version_retire(version);
    glupy_background_cancel_of(self, version, false);
    end_version(version);
}

void
glupy_versions_end(struct glupy_instance *self)
{
    struct glupy_version *version;

    if (self->versions.making && self->versions.current)
        retire_made(self);
    for (bool again = true; again;) { /* fini() is Python: the list may change meanwhile */
        again = false;
        list_for_each_entry(version, &self->versions.replaced, link)
        {
            if (version->ended)
                continue;
            Py_INCREF(version);
            end_version(version);
            Py_DECREF(version);
            again = true;
            break;
        }
    }
}

/* The first one */

int
glupy_version_first(struct glupy_instance *self)
{
    self->versions.left = left;
    self->versions.making = glupy_version_new(self->state, self);
    return self->versions.making ? 0 : -1;
}

int
glupy_version_first_made(struct glupy_instance *self, PyObject *translator, PyObject *methods)
{
    struct glupy_defined *defined = glupy_defined_read(self->state, translator, methods);

    if (!defined)
        return -1;
    self->versions.current = self->versions.making;
    self->versions.making = NULL;
    self->versions.current->translator = Py_NewRef(translator);
    glupy_defined_exchange(self, defined);
    glupy_defined_drop(defined);
    return 0;
}

/* The next one */

static struct glupy_instance *
making(PyObject *object)
{
    struct glupy_instance *self = (struct glupy_instance *)object;

    if (!glupy_instance_alive(self))
        return NULL;
    if (!self->versions.current || !self->versions.making) {
        PyErr_SetString(PyExc_RuntimeError, "no version is being made");
        return NULL;
    }
    return self;
}

PyObject *
glupy_instance_begin_version(PyObject *object, PyObject *unused)
{
    struct glupy_instance *self = (struct glupy_instance *)object;

    (void)unused;
    if (!glupy_instance_alive(self))
        return NULL;
    if (self->versions.making || self->life.ended || self->tasks.going)
        return PyErr_Format(PyExc_RuntimeError, self->versions.making ? "a version is being made already"
                                                                      : "the graph of this translator is going");
    self->versions.making = glupy_version_new(self->state, self);
    return self->versions.making ? Py_NewRef(Py_None) : NULL;
}

PyObject *
glupy_instance_prepare_version(PyObject *object, PyObject *args)
{
    struct glupy_instance *self = making(object);
    PyObject *translator, *methods;

    if (!self || !PyArg_ParseTuple(args, "OO!:prepare_version", &translator, &PyDict_Type, &methods))
        return NULL;
    glupy_defined_drop(self->versions.next);
    self->versions.next = glupy_defined_read(self->state, translator, methods);
    if (!self->versions.next)
        return NULL;
    Py_XSETREF(self->versions.making->translator, Py_NewRef(translator));
    Py_RETURN_NONE;
}

/* Under the interpreter's lock from the first line to the last before it is dropped what was. */
PyObject *
glupy_instance_take_version(PyObject *object, PyObject *unused)
{
    struct glupy_instance *self = making(object);
    struct glupy_version *old;
    struct glupy_defined *defined;

    (void)unused;
    if (!self)
        return NULL;
    defined = self->versions.next;
    if (!defined)
        return PyErr_Format(PyExc_RuntimeError, "the version is not ready");
    old = self->versions.current;
    self->versions.next = NULL;
    self->versions.current = self->versions.making;
    self->versions.making = NULL;
    glupy_defined_exchange(self, defined);
    glupy_table_follow(self, &defined->handlers, !self->settings.disabled && !self->life.ended);
    glupy_version_retire(old);
    atomic_fetch_add(&self->versions.taken, 1);
    atomic_store(&self->versions.latest, glupy_ticks());
    glupy_background_cancel_of(self, old, true);
    glupy_background_let_begin(self);
    if (!old->requests)
        left(old);
    glupy_defined_drop(defined);
    Py_RETURN_NONE;
}

PyObject *
glupy_instance_drop_version(PyObject *object, PyObject *unused)
{
    struct glupy_instance *self = making(object);

    (void)unused;
    if (!self)
        return NULL;
    atomic_fetch_add(&self->versions.refused, 1);
    retire_made(self);
    Py_RETURN_NONE;
}

PyObject *
glupy_instance_end_tasks(PyObject *object, PyObject *version)
{
    struct glupy_instance *self = (struct glupy_instance *)object;

    if (Py_TYPE(version) != self->state->version_type)
        return PyErr_Format(PyExc_TypeError, "expected a Version, not %R", version);
    glupy_background_cancel_of(self, (struct glupy_version *)version, false);
    Py_RETURN_NONE;
}

PyObject *
glupy_instance_get_version(PyObject *object, void *unused)
{
    struct glupy_instance *self = (struct glupy_instance *)object;
    struct glupy_version *version = self->versions.making ? self->versions.making : self->versions.current;

    (void)unused;
    return version ? Py_NewRef((PyObject *)version) : Py_NewRef(Py_None);
}

/* Asking for it */

/* What GlusterFS gives a layer whose volume has this option now, too. NULL without memory. */
static dict_t *
with_reload(xlator_t *xlator, const char *text)
{
    dict_t *options = dict_new();

    if (options && (!xlator->options || dict_copy(xlator->options, options)) &&
        dict_set_dynstr_with_alloc(options, "reload", text) == 0)
        return options;
    if (options)
        dict_unref(options);
    return NULL;
}

PyObject *
glupy_instance_load_anew(PyObject *object, PyObject *args)
{
    struct glupy_instance *self = (struct glupy_instance *)object;
    xlator_t *found = NULL, *old_this = THIS;
    const char *name, *text;
    dict_t *options;

    if (!PyArg_ParseTuple(args, "ss:load_anew", &name, &text) || !glupy_instance_alive(self))
        return NULL;
    found = xlator_search_by_name(self->this, name);
    if (!found || !found->reconfigure)
        return PyErr_Format(PyExc_LookupError, "no layer %s in this graph whose options can change", name);
    THIS = found; /* it is its memory, as when GlusterFS reads a volfile */
    options = with_reload(found, text);
    if (!options) {
        THIS = old_this;
        return PyErr_NoMemory();
    }
    Py_BEGIN_ALLOW_THREADS
    (void)found->reconfigure(found, options);
    dict_unref(options);
    THIS = old_this;
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}
