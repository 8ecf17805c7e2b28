/* Versions. See version.h. */
#include "instance/version.h"

#include "instance/instance.h"

struct glupy_version *
glupy_version_new(struct glupy_state *state, struct glupy_instance *instance)
{
    struct glupy_version *self = (struct glupy_version *)state->version_type->tp_alloc(state->version_type, 0);

    if (!self)
        return NULL;
    self->instance = instance;
    INIT_LIST_HEAD(&self->link);
    return self;
}

void
glupy_version_retire(struct glupy_version *self)
{
    self->replaced = true;
    list_add_tail(&self->link, &self->instance->versions.replaced);
    atomic_fetch_add(&self->instance->versions.inside, 1);
}

void
glupy_version_release(struct glupy_version *self)
{
    if (!self->ended || self->requests || self->tasks || list_empty(&self->link))
        return;
    list_del_init(&self->link);
    atomic_fetch_sub(&self->instance->versions.inside, 1);
    Py_DECREF(self);
}

static int
version_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(((struct glupy_version *)object)->translator);
    return 0;
}

static int
version_clear(PyObject *object)
{
    Py_CLEAR(((struct glupy_version *)object)->translator);
    return 0;
}

static void
version_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    version_clear(object);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyType_Slot slots[] = {
    {Py_tp_doc, "One loading of a translator's file."},
    {Py_tp_dealloc, version_dealloc},
    {Py_tp_traverse, version_traverse},
    {Py_tp_clear, version_clear},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "glupy._core.Version",
    .basicsize = sizeof(struct glupy_version),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

int
glupy_version_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &spec, &state->version_type);
}
