/* What Inode and Fd have in common. See references.h. */
#include "values/types/references.h"


static struct glupy_reference *
reference(PyObject *object)
{
    return (struct glupy_reference *)object;
}

/* The pointer in a passed or held value. */
static void *
pointer_in(const void *value)
{
    void *target;

    memcpy(&target, value, sizeof(target));
    return target;
}

static void
set_pointer(void *value, void *target)
{
    memcpy(value, &target, sizeof(target));
}

static PyTypeObject *
python_type(const struct glupy_reference_type *type, struct glupy_state *state)
{
    return *(PyTypeObject **)((char *)state + type->slot);
}

static struct glupy_spares *
spares(const struct glupy_reference_type *type, struct glupy_state *state)
{
    return (struct glupy_spares *)((char *)state + type->spares);
}

static void
let_go(struct glupy_holder *holder, bool alive)
{
    struct glupy_reference *self = (void *)((char *)holder - offsetof(struct glupy_reference, holder));

    if (alive)
        self->type->drop(self->target);
    self->target = NULL;
}

static void
set_owned(struct glupy_state *state, struct glupy_reference *self)
{
    self->owned = true;
    glupy_holder_add(state, &self->holder, self->type->table(self->target), let_go);
}

/* One that stands for nothing yet. */
static struct glupy_reference *
make_empty(const struct glupy_reference_type *type, struct glupy_state *state, struct glupy_instance *owner)
{
    struct glupy_reference *self = (struct glupy_reference *)glupy_spares_take(spares(type, state), python_type(type, state));

    if (self) {
        self->owner = (struct glupy_instance *)Py_XNewRef((PyObject *)owner);
        self->gone = NULL;
        self->type = type;
        self->target = NULL;
        self->owned = false;
        glupy_holder_init(&self->holder);
    }
    return self;
}

/* One that only borrows. */
static PyObject *
make(const struct glupy_reference_type *type, struct glupy_state *state, struct glupy_instance *owner, void *target)
{
    struct glupy_reference *self;

    if (!target)
        Py_RETURN_NONE;
    self = make_empty(type, state, owner);
    if (self)
        self->target = target;
    return (PyObject *)self;
}

PyObject *
glupy_reference_gone(const struct glupy_reference_type *type, struct glupy_state *state, struct glupy_instance *owner,
                     struct glupy_gone *gone)
{
    struct glupy_reference *self = make_empty(type, state, owner);

    if (self)
        self->gone = gone;
    else
        state->contexts->free(gone);
    return (PyObject *)self;
}

PyObject *
glupy_reference_adopt(const struct glupy_reference_type *type, struct glupy_state *state, struct glupy_instance *owner,
                      void *target)
{
    PyObject *self = make(type, state, owner, target);

    if (self && self != Py_None)
        set_owned(state, reference(self));
    return self;
}

PyObject *
glupy_reference_new(const struct glupy_reference_type *type, struct glupy_state *state, struct glupy_instance *owner,
                    void *target)
{
    PyObject *self = make(type, state, owner, target);

    if (self && self != Py_None)
        glupy_reference_own(self);
    return self;
}

void *
glupy_reference_alive(PyObject *self)
{
    if (!reference(self)->target)
        PyErr_Format(PyExc_ReferenceError, reference(self)->gone ? "this %s is gone" : "the graph of this %s is gone",
                     reference(self)->type->name);
    return reference(self)->target;
}

struct glupy_gone *
glupy_reference_gone_as(PyObject *self)
{
    return reference(self)->gone;
}

static const struct glupy_context_keeper *
keeper(PyObject *object)
{
    return glupy_state_of(object)->contexts;
}

PyObject *
glupy_reference_get_ctx(PyObject *object, void *unused)
{
    struct glupy_reference *self = reference(object);

    (void)unused;
    if (self->gone)
        return Py_NewRef(self->gone->ctx ? self->gone->ctx : Py_None);
    if (!glupy_reference_alive(object))
        return NULL;
    return keeper(object)->get(self->owner, self->type->is_fd ? NULL : self->inode, self->type->is_fd ? self->fd : NULL);
}

int
glupy_reference_set_ctx(PyObject *object, PyObject *value, void *unused)
{
    struct glupy_reference *self = reference(object);

    (void)unused;
    if (!glupy_reference_alive(object))
        return -1;
    return keeper(object)->set(self->owner, self->type->is_fd ? NULL : self->inode, self->type->is_fd ? self->fd : NULL,
                               value);
}

void
glupy_reference_dealloc(PyObject *object)
{
    struct glupy_reference *self = reference(object);

    if (self->owned)
        self->type->drop(self->target);
    glupy_holder_remove(&self->holder);
    if (self->gone)
        keeper(object)->free(self->gone);
    Py_XDECREF(self->owner);
    glupy_spares_give(spares(self->type, glupy_state_of(object)), object);
}

/* What it is by: one that stands for what has gone is like no other. */
static void *
identity(PyObject *self)
{
    return reference(self)->gone ? self : reference(self)->target;
}

PyObject *
glupy_reference_compare(PyObject *self, PyObject *other, int op)
{
    if (!Py_IS_TYPE(other, Py_TYPE(self)) || (op != Py_EQ && op != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    return PyBool_FromLong((identity(self) == identity(other)) == (op == Py_EQ));
}

Py_hash_t
glupy_reference_hash(PyObject *self)
{
    Py_hash_t hash = (Py_hash_t)((uintptr_t)identity(self) >> 4);

    return hash == -1 ? -2 : hash;
}

PyObject *
glupy_reference_wrap(const struct glupy_reference_type *type, struct glupy_state *state, struct glupy_instance *owner,
                     const void *passed)
{
    return make(type, state, owner, pointer_in(passed));
}

PyObject *
glupy_reference_convert(const struct glupy_reference_type *type, struct glupy_state *state, PyObject *value)
{
    if (value == Py_None)
        return Py_NewRef(value);
    if (Py_IS_TYPE(value, python_type(type, state)))
        return glupy_reference_alive(value) ? Py_NewRef(value) : NULL;
    return PyErr_Format(PyExc_TypeError, "expected %s, not %s", type->name, Py_TYPE(value)->tp_name);
}

int
glupy_reference_own(PyObject *object)
{
    struct glupy_reference *self = reference(object);

    if (!self->owned) {
        self->type->ref(self->target);
        set_owned(glupy_state_of(object), self);
    }
    return 0;
}

void
glupy_reference_pass(PyObject *object, void *passed)
{
    set_pointer(passed, object == Py_None ? NULL : reference(object)->target);
}

int
glupy_reference_hold(const struct glupy_reference_type *type, void *held, const void *passed)
{
    void *target = pointer_in(passed);

    if (target)
        type->ref(target);
    set_pointer(held, target);
    return 0;
}

void
glupy_reference_lend(void *held, void *passed)
{
    set_pointer(passed, pointer_in(held));
}

void
glupy_reference_drop(const struct glupy_reference_type *type, void *held)
{
    void *target = pointer_in(held);

    if (target)
        type->unref(target);
}

void
glupy_reference_discard(const struct glupy_reference_type *type, void *held)
{
    type->drop(pointer_in(held));
}

PyObject *
glupy_reference_kind_adopt(const struct glupy_reference_type *type, struct glupy_state *state, void *held)
{
    PyObject *object = glupy_reference_adopt(type, state, NULL, pointer_in(held));

    if (object)
        set_pointer(held, NULL);
    return object;
}

int
glupy_reference_take(const struct glupy_reference_type *type, PyObject *object, void *held)
{
    void *target;

    if (object != Py_None && !glupy_reference_alive(object))
        return -1;
    glupy_reference_pass(object, &target);
    return glupy_reference_hold(type, held, &target);
}
