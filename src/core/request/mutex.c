/* Mutex: one at a time. See turns.h for the line of those who wait, and mutex.h for those of inodes.
 *
 * Those of inodes stand in a table of the interpreter's, by the inode_t and the translator; they own a reference to the
 * inode, so that no other can come to stand at its address. One that is held keeps itself. */
#include "request/mutex.h"

#include <pthread.h>

#include "request/turns.h"
#include "request/user.h"
#include "values/types/inode.h"

struct mutex {
    struct glupy_turns turns;
    bool held;
    Py_ssize_t owed; /* calls of release() to come that give nothing back: see owe() */
    pthread_mutex_t leaf; /* for `user`, which those without the interpreter read */
    struct glupy_user user; /* who holds it */
    struct glupy_reference *inode; /* whose it is, or NULL */
    struct list_head link; /* in the table */
};

static void
is_held_by(struct mutex *self, struct glupy_request *request)
{
    pthread_mutex_lock(&self->leaf);
    glupy_user_is(&self->user, request);
    pthread_mutex_unlock(&self->leaf);
}

static bool
mutex_take(PyObject *owner, struct glupy_request *request)
{
    struct mutex *self = (struct mutex *)owner;

    if (self->held)
        return false;
    self->held = true;
    if (self->inode)
        Py_INCREF(owner);
    is_held_by(self, request);
    return true;
}

static void
mutex_pass(PyObject *owner, struct glupy_request *request)
{
    is_held_by((struct mutex *)owner, request);
}

static void
mutex_give(PyObject *owner)
{
    struct mutex *self = (struct mutex *)owner;

    if (glupy_turns_pass(owner))
        return;
    self->held = false;
    if (self->inode)
        Py_DECREF(owner);
}

static void
mutex_describe(PyObject *owner, struct glupy_line *line)
{
    struct mutex *self = (struct mutex *)owner;
    struct glupy_user user;

    pthread_mutex_lock(&self->leaf);
    user = self->user;
    pthread_mutex_unlock(&self->leaf);
    glupy_turns_say(owner, line, self->inode ? "inode.lock()" : "Mutex");
    glupy_say(line, ", held by ");
    glupy_user_say(&user, line);
}

static const struct glupy_turns_ops mutex_ops = {
    .take = mutex_take,
    .pass = mutex_pass,
    .give = mutex_give,
    .describe = mutex_describe,
};

static struct mutex *
mutex_alloc(PyTypeObject *type, PyObject *name)
{
    struct mutex *self = (struct mutex *)glupy_turns_new(type, &mutex_ops, name);

    if (!self)
        return NULL;
    pthread_mutex_init(&self->leaf, NULL);
    INIT_LIST_HEAD(&self->link);
    return self;
}

static PyObject *
mutex_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"name", NULL};
    PyObject *name = NULL;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Mutex", names, &name))
        return NULL;
    return (PyObject *)mutex_alloc(type, name);
}

static void
mutex_dealloc(PyObject *object)
{
    struct mutex *self = (struct mutex *)object;

    list_del(&self->link);
    pthread_mutex_destroy(&self->leaf);
    Py_XDECREF(self->inode);
    glupy_turns_free(object);
}

static PyObject *
release(PyObject *object, PyObject *unused)
{
    struct mutex *self = (struct mutex *)object;

    (void)unused;
    if (self->owed) {
        self->owed--;
        Py_RETURN_NONE;
    }
    if (!self->held) {
        PyErr_SetString(PyExc_RuntimeError, "release(): nobody holds this Mutex");
        return NULL;
    }
    mutex_give(object);
    Py_RETURN_NONE;
}

/* For whoever let go of it to wait, is to have it again, and cannot wait for that because its coroutine is being closed
 * (glupy/api/condition.py): it will call release() all the same. If the Mutex is free it has it now. Else whoever holds it does so
 * until all have called release(), in whatever order: so those who think that they hold it are always as many as hold it and are
 * owed a release. */
static PyObject *
owe(PyObject *object, PyObject *unused)
{
    PyObject *taken = glupy_turns_try_acquire(object, unused);

    if (taken == Py_False)
        ((struct mutex *)object)->owed++;
    Py_XDECREF(taken);
    Py_RETURN_NONE;
}

static PyObject *
locked(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct mutex *)self)->held);
}

static PyObject *
leave(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    struct glupy_state *state = glupy_state_of(self);
    PyObject *released = release(self, NULL);

    (void)args;
    (void)nargs;
    Py_XDECREF(released);
    return released ? glupy_nothing(state) : NULL;
}

static PyObject *
mutex_repr(PyObject *object)
{
    struct mutex *self = (struct mutex *)object;
    const char *how = self->held ? "held" : "free";

    if (self->inode)
        return PyUnicode_FromFormat("<Mutex of %S, %s>", self->inode, how);
    return PyUnicode_FromFormat("<Mutex%s%V, %s>", self->turns.name ? " " : "", self->turns.name, "", how);
}

static PyMethodDef methods[] = {
    {"acquire", glupy_turns_acquire, METH_NOARGS,
     "acquire($self, /)\n--\n\nAwaited: it is yours, until somebody calls release(). Those who wait get it in the "
     "order they came."},
    {"try_acquire", glupy_turns_try_acquire, METH_NOARGS,
     "try_acquire($self, /)\n--\n\nTake it if it is free and nobody waits for it; whether it is yours now."},
    {"release", release, METH_NOARGS,
     "release($self, /)\n--\n\nLet go of it, on any thread; the first of those who wait has it then. RuntimeError "
     "where nobody holds\n"
     "it."},
    {"locked", locked, METH_NOARGS, "locked($self, /)\n--\n\nDoes anybody hold it?"},
    {"_hold_back", glupy_turns_hold_back, METH_NOARGS, NULL},
    {"_owe", owe, METH_NOARGS, NULL},
    {"__aenter__", glupy_turns_enter, METH_NOARGS, NULL},
    {"__aexit__", _PyCFunction_CAST(leave), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Mutex(name='')\n--\n\nOne request or task at a time: `async with mutex:`. First come, first served. "
                "A request that is\n"
                "cancelled while it waits leaves the line, and its turn is the next one's. It belongs to one "
                "interpreter, and to\n"
                "nobody in it: who holds it and asks again waits for ever. The name is shown, with who holds it, "
                "where a request\n"
                "waits for it (statedump). TypeError where the name is no str."},
    {Py_tp_new, mutex_new},
    {Py_tp_dealloc, mutex_dealloc},
    {Py_tp_repr, mutex_repr},
    {Py_tp_methods, methods},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "glupy._core.Mutex",
    .basicsize = sizeof(struct mutex),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int
glupy_mutex_setup(struct glupy_state *state)
{
    for (unsigned i = 0; i < GLUPY_INODE_LOCKS; i++)
        INIT_LIST_HEAD(&state->inode_locks[i]);
    return glupy_add_type(state, &spec, &state->mutex_type);
}

/* Those of inodes */

static struct list_head *
place_of(struct glupy_state *state, const inode_t *inode)
{
    uintptr_t address = (uintptr_t)inode;

    return &state->inode_locks[(address >> 6 ^ address >> 12) % GLUPY_INODE_LOCKS];
}

static struct mutex *
find(struct list_head *place, const struct glupy_reference *wanted)
{
    struct mutex *found;

    list_for_each_entry(found, place, link)
    {
        if (found->inode->inode == wanted->inode && found->inode->owner == wanted->owner)
            return found;
    }
    return NULL;
}

static PyObject *
make(struct glupy_state *state, const struct glupy_reference *inode)
{
    PyObject *own = glupy_inode_new(state, inode->owner, inode->inode);
    struct mutex *self = own ? mutex_alloc(state->mutex_type, NULL) : NULL;

    if (!self) {
        Py_XDECREF(own);
        return NULL;
    }
    self->inode = (struct glupy_reference *)own;
    return (PyObject *)self;
}

PyObject *
glupy_inode_lock(PyObject *object)
{
    struct glupy_reference *inode = (struct glupy_reference *)object;
    struct glupy_state *state = glupy_state_of(object);
    struct list_head *place;
    struct mutex *self;

    if (!glupy_inode_alive(object))
        return NULL;
    place = place_of(state, inode->inode);
    self = find(place, inode);
    if (self)
        return Py_NewRef(self);
    self = (struct mutex *)make(state, inode);
    if (self)
        list_add(&self->link, place);
    return (PyObject *)self;
}
