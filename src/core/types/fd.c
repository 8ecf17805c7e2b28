/* Fd: fd_t. */
#include "inode.h"

static fd_t *
fd_of(PyObject *object)
{
    return ((struct glupy_fd *)object)->fd;
}

fd_t *
glupy_fd_alive(PyObject *object)
{
    if (!fd_of(object))
        PyErr_SetString(PyExc_ReferenceError, "the graph of this Fd is gone");
    return fd_of(object);
}

static void
let_go(struct glupy_holder *holder, bool alive)
{
    struct glupy_fd *self = (void *)((char *)holder - offsetof(struct glupy_fd, holder));

    glupy_let_go_fd(&self->fd, alive);
}

static void
set_owned(struct glupy_state *state, struct glupy_fd *self)
{
    self->owned = true;
    glupy_holder_add(state, &self->holder, self->fd->inode->table, let_go);
}

static PyObject *
make(struct glupy_state *state, fd_t *fd)
{
    struct glupy_fd *self;

    if (!fd)
        Py_RETURN_NONE;
    self = PyObject_New(struct glupy_fd, state->fd_type);
    if (self) {
        self->fd = fd;
        self->owned = false;
        glupy_holder_init(&self->holder);
    }
    return (PyObject *)self;
}

static int
kind_own(PyObject *object)
{
    struct glupy_fd *self = (struct glupy_fd *)object;

    if (!self->owned) {
        fd_ref(self->fd);
        set_owned(glupy_state_of(object), self);
    }
    return 0;
}

PyObject *
glupy_fd_new(struct glupy_state *state, fd_t *fd)
{
    PyObject *self = make(state, fd);

    if (self && self != Py_None)
        kind_own(self);
    return self;
}

static void
fd_dealloc(PyObject *object)
{
    struct glupy_fd *self = (struct glupy_fd *)object;
    PyTypeObject *type = Py_TYPE(object);

    if (self->owned)
        glupy_drop_fd(self->fd);
    glupy_holder_remove(&self->holder);
    PyObject_Free(object);
    Py_DECREF(type);
}

static PyObject *
get_inode(PyObject *self, void *unused)
{
    (void)unused;
    return glupy_fd_alive(self) ? glupy_inode_new(glupy_state_of(self), fd_of(self)->inode) : NULL;
}

static PyObject *
get_pid(PyObject *self, void *unused)
{
    (void)unused;
    return glupy_fd_alive(self) ? PyLong_FromLongLong((long long)fd_of(self)->pid) : NULL;
}

static PyObject *
get_flags(PyObject *self, void *unused)
{
    (void)unused;
    return glupy_fd_alive(self) ? PyLong_FromLong(fd_of(self)->flags) : NULL;
}

static PyObject *
get_anonymous(PyObject *self, void *unused)
{
    (void)unused;
    return glupy_fd_alive(self) ? PyBool_FromLong(fd_of(self)->anonymous) : NULL;
}

PyDoc_STRVAR(create_doc, "create(inode, pid=0, /)\n--\n\n"
                         "A new fd of an inode, to be given to child.open(), opendir() or create() (fd_create()).");

static PyObject *
fd_create_method(PyObject *cls, PyObject *args)
{
    struct glupy_state *state = glupy_state_of_type((PyTypeObject *)cls);
    PyObject *inode, *self;
    int pid = 0;
    fd_t *fd;

    if (!PyArg_ParseTuple(args, "O!|i:create", state->inode_type, &inode, &pid) || !glupy_inode_alive(inode))
        return NULL;
    fd = fd_create(((struct glupy_inode *)inode)->inode, pid);
    if (!fd)
        return PyErr_NoMemory();
    self = make(state, fd);
    if (self)
        set_owned(state, (struct glupy_fd *)self);
    else
        glupy_drop_fd(fd);
    return self;
}

static PyObject *
fd_anonymous_method(PyObject *cls, PyObject *args)
{
    struct glupy_state *state = glupy_state_of_type((PyTypeObject *)cls);
    PyObject *inode, *self;
    fd_t *fd;

    if (!PyArg_ParseTuple(args, "O!:of", state->inode_type, &inode) || !glupy_inode_alive(inode))
        return NULL;
    fd = fd_anonymous(((struct glupy_inode *)inode)->inode);
    if (!fd)
        return PyErr_NoMemory();
    self = make(state, fd);
    if (self)
        set_owned(state, (struct glupy_fd *)self);
    else
        glupy_drop_fd(fd);
    return self;
}

static PyObject *
fd_bind_method(PyObject *self, PyObject *unused)
{
    (void)unused;
    if (!glupy_fd_alive(self))
        return NULL;
    fd_bind(fd_of(self));
    Py_RETURN_NONE;
}

static PyObject *
fd_compare(PyObject *self, PyObject *other, int op)
{
    if (!Py_IS_TYPE(other, Py_TYPE(self)) || (op != Py_EQ && op != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    return PyBool_FromLong((fd_of(self) == fd_of(other)) == (op == Py_EQ));
}

static Py_hash_t
fd_hash(PyObject *self)
{
    Py_hash_t hash = (Py_hash_t)((uintptr_t)fd_of(self) >> 4);

    return hash == -1 ? -2 : hash;
}

static PyObject *
fd_repr(PyObject *self)
{
    char gfid[GF_UUID_BUF_SIZE];

    if (!fd_of(self))
        return PyUnicode_FromString("<Fd, graph gone>");
    return PyUnicode_FromFormat("<Fd %p of %s, flags %d%s>", fd_of(self),
                                uuid_utoa_r(fd_of(self)->inode->gfid, gfid), fd_of(self)->flags,
                                fd_of(self)->anonymous ? ", anonymous" : "");
}

static PyMethodDef fd_methods[] = {
    {"create", fd_create_method, METH_VARARGS | METH_CLASS, create_doc},
    {"of", fd_anonymous_method, METH_VARARGS | METH_CLASS,
     "of(inode, /)\n--\n\nAn anonymous fd: reads and writes an inode that nobody has opened (fd_anonymous())."},
    {"bind", fd_bind_method, METH_NOARGS, "bind($self, /)\n--\n\nMake an opened fd known to its inode (fd_bind())."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef fd_getset[] = {
    {"inode", get_inode, NULL, "The Inode that is open.", NULL},
    {"pid", get_pid, NULL, "Process that opened it.", NULL},
    {"flags", get_flags, NULL, "O_ flags it was opened with.", NULL},
    {"anonymous", get_anonymous, NULL, "Does no open stand behind it?", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot fd_slots[] = {
    {Py_tp_doc, "An open file or directory (fd_t in fd.h). Equal when it is the same fd_t."},
    {Py_tp_dealloc, fd_dealloc},
    {Py_tp_repr, fd_repr},
    {Py_tp_hash, fd_hash},
    {Py_tp_richcompare, fd_compare},
    {Py_tp_methods, fd_methods},
    {Py_tp_getset, fd_getset},
    {0, NULL},
};

static PyType_Spec fd_spec = {
    .name = "glupy._core.Fd",
    .basicsize = sizeof(struct glupy_fd),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = fd_slots,
};

/* kind */

static PyObject *
kind_wrap(struct glupy_state *state, const void *passed)
{
    return make(state, *(fd_t *const *)passed);
}

static PyObject *
kind_convert(struct glupy_state *state, PyObject *value)
{
    if (value == Py_None)
        return Py_NewRef(value);
    if (Py_IS_TYPE(value, state->fd_type))
        return glupy_fd_alive(value) ? Py_NewRef(value) : NULL;
    return PyErr_Format(PyExc_TypeError, "expected Fd, not %s", Py_TYPE(value)->tp_name);
}

static void
kind_pass(PyObject *object, void *passed)
{
    *(fd_t **)passed = object == Py_None ? NULL : fd_of(object);
}

static int
kind_hold(void *held, const void *passed)
{
    fd_t *fd = *(fd_t *const *)passed;

    *(fd_t **)held = fd ? fd_ref(fd) : NULL;
    return 0;
}

static void
kind_lend(void *held, void *passed)
{
    *(fd_t **)passed = *(fd_t **)held;
}

static void
kind_drop(void *held)
{
    if (*(fd_t **)held)
        fd_unref(*(fd_t **)held);
}

static void
kind_discard(void *held)
{
    glupy_drop_fd(*(fd_t **)held);
}

static PyObject *
kind_adopt(struct glupy_state *state, void *held)
{
    PyObject *object = make(state, *(fd_t **)held);

    if (object && object != Py_None)
        set_owned(state, (struct glupy_fd *)object);
    if (object)
        *(fd_t **)held = NULL;
    return object;
}

static int
kind_take(PyObject *object, void *held)
{
    fd_t *fd;

    kind_pass(object, &fd);
    return kind_hold(held, &fd);
}

const struct glupy_kind glupy_kind_fd = {
    .name = "Fd",
    .passed_size = sizeof(fd_t *),
    .held_size = sizeof(fd_t *),
    .wrap = kind_wrap,
    .own = kind_own,
    .convert = kind_convert,
    .fit = glupy_fit_not_none,
    .pass = kind_pass,
    .hold = kind_hold,
    .lend = kind_lend,
    .drop = kind_drop,
    .discard = kind_discard,
    .adopt = kind_adopt,
    .take = kind_take,
};

int
glupy_fd_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &fd_spec, &state->fd_type);
}
