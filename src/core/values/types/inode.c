/* Inode: inode_t. */
#include "values/types/inode.h"

#include "values/types/references.h"

GLUPY_REFERENCE_KIND(inode, "Inode", inode->table);

static inode_t *
inode_of(PyObject *object)
{
    return ((struct glupy_reference *)object)->inode;
}

static struct glupy_instance *
owner_of(PyObject *object)
{
    return ((struct glupy_reference *)object)->owner;
}

inode_t *
glupy_inode_alive(PyObject *object)
{
    return glupy_reference_alive(object);
}

PyObject *
glupy_inode_adopt(struct glupy_state *state, struct glupy_instance *owner, inode_t *inode)
{
    PyObject *self = glupy_reference_adopt(&inode_reference, state, owner, inode);

    if (!self)
        glupy_drop_inode(inode);
    return self;
}

PyObject *
glupy_inode_new(struct glupy_state *state, struct glupy_instance *owner, inode_t *inode)
{
    return glupy_reference_new(&inode_reference, state, owner, inode);
}

PyObject *
glupy_inode_forgotten(struct glupy_state *state, struct glupy_instance *owner, struct glupy_gone *gone)
{
    return glupy_reference_gone(&inode_reference, state, owner, gone);
}

static PyObject *
get_gfid(PyObject *self, void *unused)
{
    struct glupy_gone *gone = glupy_reference_gone_as(self);

    (void)unused;
    if (gone)
        return glupy_gfid_new(glupy_state_of(self), gone->gfid);
    return glupy_inode_alive(self) ? glupy_gfid_new(glupy_state_of(self), inode_of(self)->gfid) : NULL;
}

static PyObject *
get_ia_type(PyObject *self, void *unused)
{
    struct glupy_gone *gone = glupy_reference_gone_as(self);

    (void)unused;
    if (gone)
        return PyLong_FromLong(gone->ia_type);
    return glupy_inode_alive(self) ? PyLong_FromLong(inode_of(self)->ia_type) : NULL;
}

static PyObject *
get_is_root(PyObject *self, void *unused)
{
    struct glupy_gone *gone = glupy_reference_gone_as(self);

    (void)unused;
    if (gone)
        return PyBool_FromLong(__is_root_gfid(gone->gfid));
    return glupy_inode_alive(self) ? PyBool_FromLong(__is_root_gfid(inode_of(self)->gfid)) : NULL;
}

/* The counts change from one moment to the next; each is read under the lock that GlusterFS changes it under. */

static PyObject *
get_refs(PyObject *self, void *unused)
{
    inode_t *inode = glupy_inode_alive(self);
    uint32_t refs;

    (void)unused;
    if (!inode)
        return NULL;
    pthread_mutex_lock(&inode->table->lock);
    refs = inode->ref;
    pthread_mutex_unlock(&inode->table->lock);
    return PyLong_FromUnsignedLong(refs);
}

static PyObject *
get_nlookup(PyObject *self, void *unused)
{
    (void)unused;
    if (!glupy_inode_alive(self))
        return NULL;
    return PyLong_FromUnsignedLongLong(GF_ATOMIC_GET(inode_of(self)->nlookup));
}

static PyObject *
get_fd_count(PyObject *self, void *unused)
{
    inode_t *inode = glupy_inode_alive(self);
    uint32_t count;

    (void)unused;
    if (!inode)
        return NULL;
    LOCK(&inode->lock);
    count = inode->fd_count;
    UNLOCK(&inode->lock);
    return PyLong_FromUnsignedLong(count);
}

static PyObject *
get_linked(PyObject *self, void *unused)
{
    (void)unused;
    return glupy_inode_alive(self) ? PyBool_FromLong(inode_is_linked(inode_of(self))) : NULL;
}

static PyObject *
get_table(PyObject *self, void *unused)
{
    (void)unused;
    return glupy_inode_alive(self) ? glupy_inode_table_new(glupy_state_of(self), owner_of(self), inode_of(self)->table)
                                   : NULL;
}

PyDoc_STRVAR(path_doc, "path($self, name=None, /)\n--\n\n"
                       "A path of this inode in its table (inode_path()), with `name` appended; '<gfid:…>' forms where no\n"
                       "name is known, as is usual on bricks. A file with several links has several; this is any of\n"
                       "those known. None for an inode that is not in the table yet, as of a file that is about to be\n"
                       "made. Raises OSError where GlusterFS fails.");

static PyObject *
inode_path_method(PyObject *self, PyObject *args)
{
    PyObject *name = Py_None, *bytes = NULL, *result = NULL;
    char *path = NULL;
    int length;

    if (!PyArg_ParseTuple(args, "|O:path", &name) || (name != Py_None && !(bytes = glupy_text_bytes(name))))
        return NULL;
    if (!glupy_inode_alive(self)) {
        Py_XDECREF(bytes);
        return NULL;
    }
    if (gf_uuid_is_null(inode_of(self)->gfid)) { /* inode_path() would call that an assertion that failed */
        Py_XDECREF(bytes);
        Py_RETURN_NONE;
    }
    length = inode_path(inode_of(self), bytes ? PyBytes_AS_STRING(bytes) : NULL, &path);
    if (length < 0 || !path) {
        errno = length < 0 ? -length : ENOENT;
        PyErr_SetFromErrno(PyExc_OSError);
    } else {
        result = glupy_text(path);
    }
    GF_FREE(path);
    Py_XDECREF(bytes);
    return result;
}

PyDoc_STRVAR(parent_doc, "parent($self, name=None, /)\n--\n\n"
                         "The inode of a directory that holds this one (under `name`), as far as the table knows (inode_parent()), or\n"
                         "None.");

static PyObject *
inode_parent_method(PyObject *self, PyObject *args)
{
    PyObject *name = Py_None, *bytes = NULL, *result = NULL;

    if (!PyArg_ParseTuple(args, "|O:parent", &name) || (name != Py_None && !(bytes = glupy_text_bytes(name))))
        return NULL;
    if (glupy_inode_alive(self))
        result = glupy_inode_adopt(glupy_state_of(self), owner_of(self),
                                   inode_parent(inode_of(self), NULL, bytes ? PyBytes_AS_STRING(bytes) : NULL));
    Py_XDECREF(bytes);
    return result;
}

/* What inode_link() would call an assertion that failed: 0, or -1 with ValueError. */
static int
check_link(inode_t *inode, inode_t *parent, const char *name, struct iatt *iatt)
{
    if (gf_uuid_is_null(inode->gfid) && gf_uuid_is_null(iatt->ia_gfid))
        PyErr_SetString(PyExc_ValueError, "link(): buf has no ia_gfid; the reply of a lookup or a create has it");
    else if (!parent != !name)
        PyErr_SetString(PyExc_ValueError, "link(): a parent and a name, or None for both");
    else if (parent && parent->table != inode->table)
        PyErr_SetString(PyExc_ValueError, "link(): the parent belongs to another inode table");
    else if (parent && parent->ia_type != IA_IFDIR)
        PyErr_SetString(PyExc_ValueError, "link(): the parent is not known as a directory");
    else if (name && (!*name || strchr(name, '/')))
        PyErr_Format(PyExc_ValueError, "link(): '%s' is no name of a directory entry", name);
    return PyErr_Occurred() ? -1 : 0;
}

PyDoc_STRVAR(link_doc, "link($self, parent, name, buf, /)\n--\n\n"
                       "Put this inode into its table under parent and name with the gfid and type of an Iatt\n"
                       "(inode_link()). Gives the inode that stands in the table now, which is another one when the\n"
                       "gfid was known. None for parent and name makes it known by its gfid alone. Raises ValueError\n"
                       "for what cannot be linked, OSError where GlusterFS fails.");

static PyObject *
inode_link_method(PyObject *self, PyObject *args)
{
    struct glupy_state *state = glupy_state_of(self);
    PyObject *parent, *name, *buf, *bytes = NULL;
    inode_t *inode, *directory, *linked = NULL;
    const char *text;
    struct iatt attributes;
    bool linkable;

    if (!glupy_inode_alive(self) || !PyArg_ParseTuple(args, "OOO!:link", &parent, &name, state->iatt_type, &buf))
        return NULL;
    if (parent != Py_None && !Py_IS_TYPE(parent, state->inode_type))
        return PyErr_Format(PyExc_TypeError, "parent: expected Inode or None, not %s", Py_TYPE(parent)->tp_name);
    if ((parent != Py_None && !glupy_inode_alive(parent)) || (name != Py_None && !(bytes = glupy_text_bytes(name))))
        return NULL;
    inode = inode_of(self);
    directory = parent == Py_None ? NULL : inode_of(parent);
    text = bytes ? PyBytes_AS_STRING(bytes) : NULL;
    attributes = *((struct glupy_iatt *)buf)->iatt;
    linkable = check_link(inode, directory, text, &attributes) == 0;
    if (linkable) {
        errno = 0;
        /* It may prune the table, and so run forget() of other layers. */
        state->away++;
        Py_BEGIN_ALLOW_THREADS
        linked = inode_link(inode, directory, text, &attributes);
        Py_END_ALLOW_THREADS
        state->away--;
    }
    if (linkable && !linked) {
        errno = errno ? errno : EINVAL;
        PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_XDECREF(bytes);
    return linked ? glupy_inode_adopt(state, owner_of(self), linked) : NULL;
}

static PyObject *
inode_unlink_method(PyObject *self, PyObject *args)
{
    struct glupy_state *state = glupy_state_of(self);
    PyObject *parent, *name, *bytes;
    inode_t *inode, *directory;

    if (!PyArg_ParseTuple(args, "O!O:unlink", state->inode_type, &parent, &name) || !(bytes = glupy_text_bytes(name)))
        return NULL;
    inode = glupy_inode_alive(self);
    directory = inode ? glupy_inode_alive(parent) : NULL;
    if (!directory) {
        Py_DECREF(bytes);
        return NULL;
    }
    state->away++;
    Py_BEGIN_ALLOW_THREADS
    inode_unlink(inode, directory, PyBytes_AS_STRING(bytes));
    Py_END_ALLOW_THREADS
    state->away--;
    Py_DECREF(bytes);
    Py_RETURN_NONE;
}

static PyObject *
inode_repr(PyObject *self)
{
    struct glupy_gone *gone = glupy_reference_gone_as(self);
    char gfid[GF_UUID_BUF_SIZE];

    if (gone)
        return PyUnicode_FromFormat("<Inode %s, type %d, forgotten>", uuid_utoa_r(gone->gfid, gfid), gone->ia_type);
    if (!inode_of(self))
        return PyUnicode_FromString("<Inode, graph gone>");
    return PyUnicode_FromFormat("<Inode %s, type %d>", uuid_utoa_r(inode_of(self)->gfid, gfid), inode_of(self)->ia_type);
}

static PyObject *
inode_lock_method(PyObject *self, PyObject *unused)
{
    (void)unused;
    return glupy_state_of(self)->inode_lock(self);
}

static PyMethodDef inode_methods[] = {
    {"path", inode_path_method, METH_VARARGS, path_doc},
    {"parent", inode_parent_method, METH_VARARGS, parent_doc},
    {"link", inode_link_method, METH_VARARGS, link_doc},
    {"unlink", inode_unlink_method, METH_VARARGS,
     "unlink($self, parent, name, /)\n--\n\nTake the name out of the table (inode_unlink())."},
    {"lock", inode_lock_method, METH_NOARGS,
     "lock($self, /)\n--\n\n"
     "The Mutex of this inode, for this translator alone: `async with inode.lock():`. All Inodes that are equal have the same\n"
     "one, as long as anybody holds it, waits for it or has it; then it is gone. One that is not in the table yet, as of a\n"
     "file that is about to be made, may become another there, whose lock is another. ReferenceError once its graph is gone."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef inode_getset[] = {
    {"gfid", get_gfid, NULL, "Gfid; null for an inode that is not in the table yet.", NULL},
    {"ia_type", get_ia_type, NULL, "ia_type_t: what kind of file, 0 when not known yet.", NULL},
    {"is_root", get_is_root, NULL, "Is it the root of the volume?", NULL},
    {"table", get_table, NULL, "The InodeTable it belongs to.", NULL},
    {"ctx", glupy_reference_get_ctx, glupy_reference_set_ctx,
     "What this translator keeps with the inode (inode_ctx_get(), inode_ctx_set()); see Translator.inode_ctx.", NULL},
    {"linked", get_linked, NULL, "Is it in the table, found by its gfid (inode_is_linked())?", NULL},
    {"refs", get_refs, NULL, "References held by all of the process, this object's own included.", NULL},
    {"nlookup", get_nlookup, NULL, "How often the kernel or a client was told of it and has not forgotten yet.", NULL},
    {"fd_count", get_fd_count, NULL, "How many fds of it are open.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot inode_slots[] = {
    {Py_tp_doc, "An inode of the graph's table (inode_t in inode.h). Equal when it is the same inode_t."},
    GLUPY_REFERENCE_SLOTS,
    {Py_tp_repr, inode_repr},
    {Py_tp_methods, inode_methods},
    {Py_tp_getset, inode_getset},
    {0, NULL},
};

static PyType_Spec inode_spec = {
    .name = "glupy._core.Inode",
    .basicsize = sizeof(struct glupy_reference),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = inode_slots,
};

int
glupy_inode_setup(struct glupy_state *state)
{
    if (glupy_add_type(state, &inode_spec, &state->inode_type) != 0)
        return -1;
    return glupy_inode_table_setup(state);
}
