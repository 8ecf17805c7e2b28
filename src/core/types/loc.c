/* Loc: loc_t, where in the tree an operation is about. Immutable; replace() gives changed copies. */
#include "types.h"

static loc_t *
loc_of(PyObject *object)
{
    return ((struct glupy_loc *)object)->loc;
}

/* loc_copy() copies the pointer `name` as it is where there is no path, as self-heal does: it would lead into the
 * caller's memory. A copy of ours has a name of its own then. */
static int
copy_loc(loc_t *to, loc_t *from)
{
    memset(to, 0, sizeof(*to));
    if (loc_copy(to, from) != 0) {
        memset(to, 0, sizeof(*to));
        return -1;
    }
    if (!to->path && from->name && !(to->name = gf_strdup(from->name))) {
        loc_wipe(to);
        return -1;
    }
    return 0;
}

/* Before such a copy is wiped. */
static void
free_own_name(loc_t *loc)
{
    if (!loc->path)
        GF_FREE((char *)loc->name);
    loc->name = NULL;
}

static void
let_go(struct glupy_holder *holder, bool alive)
{
    struct glupy_loc *self = (void *)((char *)holder - offsetof(struct glupy_loc, holder));

    glupy_let_go_inode(&self->own.inode, alive);
    glupy_let_go_inode(&self->own.parent, alive);
}

/* The loc's inodes are the object's own now. */
static void
set_owned(struct glupy_state *state, struct glupy_loc *self)
{
    inode_t *inode = self->own.inode ? self->own.inode : self->own.parent;

    glupy_holder_remove(&self->holder);
    if (inode)
        glupy_holder_add(state, &self->holder, inode->table, let_go);
}

static struct glupy_instance *
owner_of(PyObject *object)
{
    return ((struct glupy_loc *)object)->owner;
}

static struct glupy_loc *
make(struct glupy_state *state, struct glupy_instance *owner)
{
    struct glupy_loc *self = PyObject_New(struct glupy_loc, state->loc_type);

    if (self) {
        self->owner = (struct glupy_instance *)Py_XNewRef((PyObject *)owner);
        memset(&self->own, 0, sizeof(self->own));
        self->loc = &self->own;
        glupy_holder_init(&self->holder);
    }
    return self;
}

PyObject *
glupy_loc_new(struct glupy_state *state, struct glupy_instance *owner, loc_t *loc)
{
    struct glupy_loc *self = make(state, owner);

    if (self) {
        self->own = *loc;
        memset(loc, 0, sizeof(*loc));
        set_owned(state, self);
    }
    return (PyObject *)self;
}

static void
loc_dealloc(PyObject *object)
{
    struct glupy_loc *self = (struct glupy_loc *)object;
    PyTypeObject *type = Py_TYPE(object);

    if (self->loc == &self->own) {
        free_own_name(&self->own);
        glupy_drop_loc(&self->own);
    }
    glupy_holder_remove(&self->holder);
    Py_XDECREF(self->owner);
    PyObject_Free(object);
    Py_DECREF(type);
}

static PyObject *
get_path(PyObject *self, void *unused)
{
    (void)unused;
    return loc_of(self)->path ? glupy_text(loc_of(self)->path) : Py_NewRef(Py_None);
}

static PyObject *
get_name(PyObject *self, void *unused)
{
    (void)unused;
    return loc_of(self)->name ? glupy_text(loc_of(self)->name) : Py_NewRef(Py_None);
}

static PyObject *
get_inode(PyObject *self, void *unused)
{
    (void)unused;
    return glupy_inode_new(glupy_state_of(self), owner_of(self), loc_of(self)->inode);
}

static PyObject *
get_parent(PyObject *self, void *unused)
{
    (void)unused;
    return glupy_inode_new(glupy_state_of(self), owner_of(self), loc_of(self)->parent);
}

/* The gfid fields are filled at the top of a graph only; the inodes know as well. */
static PyObject *
get_gfid(PyObject *self, void *unused)
{
    loc_t *loc = loc_of(self);

    (void)unused;
    return glupy_gfid_new(glupy_state_of(self),
                          gf_uuid_is_null(loc->gfid) && loc->inode ? loc->inode->gfid : loc->gfid);
}

static PyObject *
get_pargfid(PyObject *self, void *unused)
{
    loc_t *loc = loc_of(self);

    (void)unused;
    return glupy_gfid_new(glupy_state_of(self),
                          gf_uuid_is_null(loc->pargfid) && loc->parent ? loc->parent->gfid : loc->pargfid);
}

static int
set_path(loc_t *loc, PyObject *value)
{
    PyObject *bytes = value == Py_None ? NULL : glupy_text_bytes(value);
    char *slash;

    if (value == Py_None)
        return 0;
    if (!bytes)
        return -1;
    free_own_name(loc);
    GF_FREE((char *)loc->path);
    loc->path = gf_strdup(PyBytes_AS_STRING(bytes));
    loc->name = NULL;
    Py_DECREF(bytes);
    if (!loc->path) {
        PyErr_NoMemory();
        return -1;
    }
    slash = strrchr(loc->path, '/');
    loc->name = slash ? slash + 1 : NULL; /* it points into path, as everywhere in GlusterFS */
    return 0;
}

static int
set_inode(struct glupy_loc *self, inode_t **slot, PyObject *value)
{
    struct glupy_state *state = glupy_state_of((PyObject *)self);

    if (value == Py_None) {
        glupy_drop_inode(*slot);
        *slot = NULL;
        return 0;
    }
    if (!Py_IS_TYPE(value, state->inode_type)) {
        PyErr_Format(PyExc_TypeError, "expected Inode or None, not %s", Py_TYPE(value)->tp_name);
        return -1;
    }
    if (!glupy_inode_alive(value))
        return -1;
    glupy_drop_inode(*slot);
    *slot = inode_ref(((struct glupy_reference *)value)->inode);
    glupy_set_owner(&glupy_kind_loc, (PyObject *)self, ((struct glupy_reference *)value)->owner);
    return 0;
}

static int
set_gfid(struct glupy_state *state, uuid_t slot, PyObject *value)
{
    if (value != Py_None)
        return glupy_gfid_from(state, value, slot);
    memset(slot, 0, sizeof(uuid_t));
    return 0;
}

/* Fill a loc from the keyword arguments of the constructor or of replace(). */
static int
fill(struct glupy_loc *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "inode", "parent", "gfid", "pargfid", NULL};
    struct glupy_state *state = glupy_state_of((PyObject *)self);
    PyObject *path = NULL, *inode = NULL, *parent = NULL, *gfid = NULL, *pargfid = NULL;
    loc_t *loc = &self->own;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOOOO:Loc", names, &path, &inode, &parent, &gfid, &pargfid))
        return -1;
    if ((path && set_path(loc, path) != 0) || (inode && set_inode(self, &loc->inode, inode) != 0) ||
        (parent && set_inode(self, &loc->parent, parent) != 0) || (gfid && set_gfid(state, loc->gfid, gfid) != 0) ||
        (pargfid && set_gfid(state, loc->pargfid, pargfid) != 0))
        return -1;
    set_owned(state, self);
    return 0;
}

static PyObject *
loc_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct glupy_loc *self = make(glupy_state_of_type(type), NULL);

    if (self && fill(self, args, kwargs) != 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static struct glupy_loc *
copy_of(PyObject *object)
{
    struct glupy_loc *self = make(glupy_state_of(object), owner_of(object));

    if (self && copy_loc(&self->own, loc_of(object)) != 0) {
        Py_CLEAR(self);
        PyErr_NoMemory();
    }
    return self;
}

PyDoc_STRVAR(replace_doc, "replace($self, /, path=None, inode=None, parent=None, gfid=None, pargfid=None)\n--\n\n"
                          "A copy with some fields changed. name always follows from path.");

static PyObject *
loc_replace(PyObject *object, PyObject *args, PyObject *kwargs)
{
    struct glupy_loc *self = copy_of(object);

    if (self && fill(self, args, kwargs) != 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

/* parent's path, a slash, name; NULL where the parent's path is not known. */
static char *
child_path(const loc_t *parent, const char *name)
{
    char *path = NULL;

    if (!parent->path)
        return NULL;
    if (gf_asprintf(&path, "%s/%s", strcmp(parent->path, "/") == 0 ? "" : parent->path, name) < 0)
        return NULL;
    return path;
}

PyDoc_STRVAR(child_doc, "child($self, name, inode=None, /)\n--\n\n"
                        "The Loc of an entry of this directory. Without an inode a fresh one is made in the same table, as lookup and\n"
                        "the create-like fops need.");

static PyObject *
loc_child(PyObject *object, PyObject *args)
{
    struct glupy_state *state = glupy_state_of(object);
    PyObject *name, *inode = Py_None, *bytes;
    loc_t *parent = loc_of(object), loc = {0};

    if (!PyArg_ParseTuple(args, "O|O:child", &name, &inode))
        return NULL;
    if (inode != Py_None && !Py_IS_TYPE(inode, state->inode_type))
        return PyErr_Format(PyExc_TypeError, "inode: expected Inode or None, not %s", Py_TYPE(inode)->tp_name);
    if (inode != Py_None && !glupy_inode_alive(inode))
        return NULL;
    if (!parent->inode)
        return PyErr_Format(PyExc_ValueError, "child(): this Loc has no inode");
    bytes = glupy_text_bytes(name);
    if (!bytes)
        return NULL;
    loc.path = child_path(parent, PyBytes_AS_STRING(bytes));
    Py_DECREF(bytes);
    loc.name = loc.path ? strrchr(loc.path, '/') + 1 : NULL;
    loc.parent = inode_ref(parent->inode);
    gf_uuid_copy(loc.pargfid, gf_uuid_is_null(parent->gfid) ? parent->inode->gfid : parent->gfid);
    loc.inode = inode == Py_None ? inode_new(parent->inode->table) : inode_ref(((struct glupy_reference *)inode)->inode);
    if (inode != Py_None)
        gf_uuid_copy(loc.gfid, loc.inode->gfid);
    return glupy_loc_new(state, owner_of(object), &loc);
}

static PyObject *
loc_repr(PyObject *self)
{
    char gfid[GF_UUID_BUF_SIZE], pargfid[GF_UUID_BUF_SIZE];
    loc_t *loc = loc_of(self);
    PyObject *path = get_path(self, NULL), *text;

    if (!path)
        return NULL;
    text = PyUnicode_FromFormat("Loc(path=%R, gfid=%s, pargfid=%s)", path, uuid_utoa_r(loc->gfid, gfid),
                                uuid_utoa_r(loc->pargfid, pargfid));
    Py_DECREF(path);
    return text;
}

static PyMethodDef loc_methods[] = {
    {"replace", _PyCFunction_CAST(loc_replace), METH_VARARGS | METH_KEYWORDS, replace_doc},
    {"child", loc_child, METH_VARARGS, child_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef loc_getset[] = {
    {"path", get_path, NULL, "Path from the volume's root; '<gfid:…>/name' or None on bricks.", NULL},
    {"name", get_name, NULL, "Last part of the path, or None.", NULL},
    {"inode", get_inode, NULL, "The Inode, not yet in the table for a new entry; or None.", NULL},
    {"parent", get_parent, NULL, "The Inode of the directory, or None.", NULL},
    {"gfid", get_gfid, NULL, "Gfid of the file; null for a new entry.", NULL},
    {"pargfid", get_pargfid, NULL, "Gfid of the directory.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot loc_slots[] = {
    {Py_tp_doc, "Loc(path=None, inode=None, parent=None, gfid=None, pargfid=None)\n--\n\n"
                "Where in the tree an operation is about (loc_t in xlator.h). Immutable."},
    {Py_tp_new, loc_tp_new},
    {Py_tp_dealloc, loc_dealloc},
    {Py_tp_repr, loc_repr},
    {Py_tp_methods, loc_methods},
    {Py_tp_getset, loc_getset},
    {0, NULL},
};

static PyType_Spec loc_spec = {
    .name = "glupy._core.Loc",
    .basicsize = sizeof(struct glupy_loc),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = loc_slots,
};

/* kind */

static PyObject *
kind_wrap(struct glupy_state *state, const void *passed)
{
    loc_t *loc = *(loc_t *const *)passed;
    struct glupy_loc *self;

    if (!loc)
        Py_RETURN_NONE;
    self = PyObject_New(struct glupy_loc, state->loc_type);
    if (self) {
        self->owner = NULL;
        self->loc = loc;
        glupy_holder_init(&self->holder);
    }
    return (PyObject *)self;
}

static int
kind_own(PyObject *object)
{
    struct glupy_loc *self = (struct glupy_loc *)object;
    loc_t *borrowed = self->loc;
    int failed;

    if (borrowed == &self->own)
        return 0;
    failed = copy_loc(&self->own, borrowed); /* on failure it leaves an empty loc, which is safe */
    self->loc = &self->own;
    set_owned(glupy_state_of(object), self);
    if (failed)
        PyErr_NoMemory();
    return failed ? -1 : 0;
}

static PyObject *
kind_convert(struct glupy_state *state, PyObject *value)
{
    if (value == Py_None || Py_IS_TYPE(value, state->loc_type))
        return Py_NewRef(value);
    return PyErr_Format(PyExc_TypeError, "expected Loc, not %s", Py_TYPE(value)->tp_name);
}

static int
kind_fit(PyObject *object)
{
    if (glupy_fit_not_none(object) != 0)
        return -1;
    if (loc_of(object)->inode)
        return 0;
    PyErr_SetString(PyExc_ValueError, "a Loc without an inode; Loc.child() or replace(inode=...) makes one with it");
    return -1;
}

static void
kind_pass(PyObject *object, void *passed)
{
    *(loc_t **)passed = object == Py_None ? NULL : loc_of(object);
}

static int
kind_hold(void *held, const void *passed)
{
    loc_t *loc = *(loc_t *const *)passed;

    memset(held, 0, sizeof(loc_t));
    return loc ? copy_loc(held, loc) : 0;
}

static void
kind_lend(void *held, void *passed)
{
    *(loc_t **)passed = held;
}

static void
kind_drop(void *held)
{
    free_own_name(held);
    loc_wipe(held);
}

static void
kind_discard(void *held)
{
    free_own_name(held);
    glupy_drop_loc(held);
}

static PyObject *
kind_adopt(struct glupy_state *state, void *held)
{
    return glupy_loc_new(state, NULL, held);
}

static int
kind_take(PyObject *object, void *held)
{
    loc_t *loc;

    kind_pass(object, &loc);
    if (kind_hold(held, &loc) == 0)
        return 0;
    PyErr_NoMemory();
    return -1;
}

const struct glupy_kind glupy_kind_loc = {
    .name = "Loc",
    .passed_size = sizeof(loc_t *),
    .held_size = sizeof(loc_t),
    .owner = offsetof(struct glupy_loc, owner),
    .wrap = kind_wrap,
    .own = kind_own,
    .convert = kind_convert,
    .fit = kind_fit,
    .pass = kind_pass,
    .hold = kind_hold,
    .lend = kind_lend,
    .drop = kind_drop,
    .discard = kind_discard,
    .adopt = kind_adopt,
    .take = kind_take,
};

int
glupy_loc_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &loc_spec, &state->loc_type);
}
