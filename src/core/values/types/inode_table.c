/* InodeTable: inode_table_t. Only the top of a graph has one: loc.inode.table leads to it. */
#include "values/types/inode.h"

static inode_table_t *
table_of(PyObject *object)
{
    return ((struct glupy_inode_table *)object)->table;
}

static struct glupy_instance *
owner_of(PyObject *object)
{
    return ((struct glupy_inode_table *)object)->owner;
}

inode_table_t *
glupy_inode_table_alive(PyObject *object)
{
    if (!table_of(object))
        PyErr_SetString(PyExc_ReferenceError, "the graph of this InodeTable is gone");
    return table_of(object);
}

static void
let_go(struct glupy_holder *holder, bool table_alive)
{
    struct glupy_inode_table *self = (void *)((char *)holder - offsetof(struct glupy_inode_table, holder));

    (void)table_alive;
    self->table = NULL;
}

PyObject *
glupy_inode_table_new(struct glupy_state *state, struct glupy_instance *owner, inode_table_t *table)
{
    struct glupy_inode_table *self;

    if (!table)
        Py_RETURN_NONE;
    self = PyObject_New(struct glupy_inode_table, state->inode_table_type);
    if (self) {
        self->owner = (struct glupy_instance *)Py_XNewRef((PyObject *)owner);
        self->table = table;
        glupy_holder_add(state, &self->holder, table, let_go);
    }
    return (PyObject *)self;
}

static void
table_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    glupy_holder_remove(&((struct glupy_inode_table *)object)->holder);
    Py_XDECREF(owner_of(object));
    PyObject_Free(object);
    Py_DECREF(type);
}

static PyObject *
table_new_inode(PyObject *self, PyObject *unused)
{
    (void)unused;
    return glupy_inode_table_alive(self) ? glupy_inode_adopt(glupy_state_of(self), owner_of(self), inode_new(table_of(self))) : NULL;
}

static PyObject *
table_find(PyObject *self, PyObject *value)
{
    uuid_t gfid;

    /* Last: a value of the author's may run code of the author's, and the graph may end meanwhile. */
    if (glupy_gfid_from(glupy_state_of(self), value, gfid) != 0 || !glupy_inode_table_alive(self))
        return NULL;
    return glupy_inode_adopt(glupy_state_of(self), owner_of(self), inode_find(table_of(self), gfid));
}

static PyObject *
table_grep(PyObject *self, PyObject *args)
{
    struct glupy_state *state = glupy_state_of(self);
    PyObject *parent, *name, *bytes, *result = NULL;

    if (!PyArg_ParseTuple(args, "O!O:grep", state->inode_type, &parent, &name) || !(bytes = glupy_text_bytes(name)))
        return NULL;
    if (glupy_inode_table_alive(self) && glupy_inode_alive(parent))
        result = glupy_inode_adopt(
            state, owner_of(self), inode_grep(table_of(self), glupy_inode_alive(parent), PyBytes_AS_STRING(bytes)));
    Py_DECREF(bytes);
    return result;
}

static PyObject *
get_root(PyObject *self, void *unused)
{
    (void)unused;
    return glupy_inode_table_alive(self) ? glupy_inode_new(glupy_state_of(self), owner_of(self), table_of(self)->root) : NULL;
}

static PyObject *
get_lru_limit(PyObject *self, void *unused)
{
    (void)unused;
    return glupy_inode_table_alive(self) ? PyLong_FromUnsignedLong(table_of(self)->lru_limit) : NULL;
}

PyDoc_STRVAR(counts_doc, "counts($self, /)\n--\n\n"
                         "How many inodes the table has, as a dict, all taken at one moment: `active` (somebody holds a\n"
                         "reference), `lru` (only remembered, the oldest go first), `purge` (about to be freed),\n"
                         "`invalidate` (the kernel has been asked to forget them).");

static PyObject *
table_counts(PyObject *self, PyObject *unused)
{
    inode_table_t *table = table_of(self);
    unsigned active, lru, purge, invalidate;

    (void)unused;
    if (!glupy_inode_table_alive(self))
        return NULL;
    pthread_mutex_lock(&table->lock);
    active = table->active_size;
    lru = table->lru_size;
    purge = table->purge_size;
    invalidate = table->invalidate_size;
    pthread_mutex_unlock(&table->lock);
    return Py_BuildValue("{s:I,s:I,s:I,s:I}", "active", active, "lru", lru, "purge", purge, "invalidate", invalidate);
}

static PyObject *
table_compare(PyObject *self, PyObject *other, int op)
{
    if (!Py_IS_TYPE(other, Py_TYPE(self)) || (op != Py_EQ && op != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    return PyBool_FromLong((table_of(self) == table_of(other)) == (op == Py_EQ));
}

static PyObject *
table_repr(PyObject *self)
{
    if (!table_of(self))
        return PyUnicode_FromString("<InodeTable, graph gone>");
    return PyUnicode_FromFormat("<InodeTable %s>", table_of(self)->name ? table_of(self)->name : "");
}

static PyMethodDef table_methods[] = {
    {"new", table_new_inode, METH_NOARGS,
     "new($self, /)\n--\n\nA fresh inode, not in the table before Inode.link() (inode_new())."},
    {"find", table_find, METH_O, "find($self, gfid, /)\n--\n\nThe inode with this gfid, or None (inode_find())."},
    {"grep", table_grep, METH_VARARGS,
     "grep($self, parent, name, /)\n--\n\nThe inode known under this name, or None (inode_grep())."},
    {"counts", table_counts, METH_NOARGS, counts_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef table_getset[] = {
    {"root", get_root, NULL, "The root inode.", NULL},
    {"lru_limit", get_lru_limit, NULL, "How many inodes that nobody holds are remembered; 0: any number.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot table_slots[] = {
    {Py_tp_doc, "The inode table of a graph (inode_table_t in inode.h). Equal when it is the same one."},
    {Py_tp_dealloc, table_dealloc},
    {Py_tp_repr, table_repr},
    {Py_tp_richcompare, table_compare},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_methods, table_methods},
    {Py_tp_getset, table_getset},
    {0, NULL},
};

static PyType_Spec table_spec = {
    .name = "glupy._core.InodeTable",
    .basicsize = sizeof(struct glupy_inode_table),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = table_slots,
};

int
glupy_inode_table_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &table_spec, &state->inode_table_type);
}
