/* Fd: fd_t. */
#include "values/types/inode.h"
#include "values/types/references.h"

GLUPY_REFERENCE_KIND(fd, "Fd", fd->inode->table);

static fd_t *
fd_of(PyObject *object)
{
    return ((struct glupy_reference *)object)->fd;
}

fd_t *
glupy_fd_alive(PyObject *object)
{
    return glupy_reference_alive(object);
}

static struct glupy_instance *
owner_of(PyObject *object)
{
    return ((struct glupy_reference *)object)->owner;
}

PyObject *
glupy_fd_released(struct glupy_state *state, struct glupy_instance *owner, struct glupy_gone *gone)
{
    return glupy_reference_gone(&fd_reference, state, owner, gone);
}

static PyObject *
get_inode(PyObject *self, void *unused)
{
    struct glupy_gone *gone = glupy_reference_gone_as(self);

    (void)unused;
    if (gone) /* the fd's reference has become the context's */
        return glupy_inode_new(glupy_state_of(self), owner_of(self), gone->inode);
    return glupy_fd_alive(self) ? glupy_inode_new(glupy_state_of(self), owner_of(self), fd_of(self)->inode) : NULL;
}

static PyObject *
get_pid(PyObject *self, void *unused)
{
    struct glupy_gone *gone = glupy_reference_gone_as(self);

    (void)unused;
    if (gone)
        return PyLong_FromLongLong((long long)gone->pid);
    return glupy_fd_alive(self) ? PyLong_FromLongLong((long long)fd_of(self)->pid) : NULL;
}

static PyObject *
get_flags(PyObject *self, void *unused)
{
    struct glupy_gone *gone = glupy_reference_gone_as(self);

    (void)unused;
    if (gone)
        return PyLong_FromLong(gone->flags);
    return glupy_fd_alive(self) ? PyLong_FromLong(fd_of(self)->flags) : NULL;
}

static PyObject *
get_anonymous(PyObject *self, void *unused)
{
    struct glupy_gone *gone = glupy_reference_gone_as(self);

    (void)unused;
    if (gone)
        return PyBool_FromLong(gone->anonymous);
    return glupy_fd_alive(self) ? PyBool_FromLong(fd_of(self)->anonymous) : NULL;
}

/* What create() and of() give: the Fd of a new fd_t of this inode, MemoryError for NULL. */
static PyObject *
fd_made(struct glupy_state *state, PyObject *inode, fd_t *fd)
{
    PyObject *self = fd ? glupy_reference_adopt(&fd_reference, state, owner_of(inode), fd) : PyErr_NoMemory();

    if (!self)
        glupy_drop_fd(fd);
    return self;
}

PyDoc_STRVAR(create_doc, "create(inode, pid=0, /)\n--\n\n"
                         "A new fd of an inode, to be given to child.open(), opendir() or create() (fd_create()).");

static PyObject *
fd_create_method(PyObject *cls, PyObject *args)
{
    struct glupy_state *state = glupy_state_of_type((PyTypeObject *)cls);
    PyObject *inode;
    int pid = 0;

    if (!PyArg_ParseTuple(args, "O!|i:create", state->inode_type, &inode, &pid) || !glupy_inode_alive(inode))
        return NULL;
    return fd_made(state, inode, fd_create(glupy_inode_alive(inode), pid));
}

static PyObject *
fd_of_method(PyObject *cls, PyObject *args)
{
    struct glupy_state *state = glupy_state_of_type((PyTypeObject *)cls);
    PyObject *inode;

    if (!PyArg_ParseTuple(args, "O!:of", state->inode_type, &inode) || !glupy_inode_alive(inode))
        return NULL;
    return fd_made(state, inode, fd_anonymous(glupy_inode_alive(inode)));
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
fd_repr(PyObject *self)
{
    struct glupy_gone *gone = glupy_reference_gone_as(self);
    char gfid[GF_UUID_BUF_SIZE];

    if (gone)
        return PyUnicode_FromFormat("<Fd of %s, flags %d, released>", uuid_utoa_r(gone->gfid, gfid), gone->flags);
    if (!fd_of(self))
        return PyUnicode_FromString("<Fd, graph gone>");
    return PyUnicode_FromFormat("<Fd %p of %s, flags %d%s>", fd_of(self),
                                uuid_utoa_r(fd_of(self)->inode->gfid, gfid), fd_of(self)->flags,
                                fd_of(self)->anonymous ? ", anonymous" : "");
}

static PyMethodDef fd_methods[] = {
    {"create", fd_create_method, METH_VARARGS | METH_CLASS, create_doc},
    {"of", fd_of_method, METH_VARARGS | METH_CLASS,
     "of(inode, /)\n--\n\nAn anonymous fd: reads and writes an inode that nobody has opened (fd_anonymous())."},
    {"bind", fd_bind_method, METH_NOARGS, "bind($self, /)\n--\n\nMake an opened fd known to its inode (fd_bind())."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef fd_getset[] = {
    {"inode", get_inode, NULL, "The Inode that is open.", NULL},
    {"pid", get_pid, NULL, "Process that opened it.", NULL},
    {"flags", get_flags, NULL, "O_ flags it was opened with.", NULL},
    {"anonymous", get_anonymous, NULL, "Does no open stand behind it?", NULL},
    {"ctx", glupy_reference_get_ctx, glupy_reference_set_ctx,
     "What this translator keeps with the fd (fd_ctx_get(), fd_ctx_set()); see Translator.fd_ctx.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot fd_slots[] = {
    {Py_tp_doc, "An open file or directory (fd_t in fd.h). Equal when it is the same fd_t."},
    GLUPY_REFERENCE_SLOTS,
    {Py_tp_repr, fd_repr},
    {Py_tp_methods, fd_methods},
    {Py_tp_getset, fd_getset},
    {0, NULL},
};

static PyType_Spec fd_spec = {
    .name = "glupy._core.Fd",
    .basicsize = sizeof(struct glupy_reference),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = fd_slots,
};

int
glupy_fd_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &fd_spec, &state->fd_type);
}
