/* Loc: loc_t, where in the tree an operation is about. Immutable; replace() gives changed copies. */
#include <limits.h>

#include "values/straight.h"
#include "values/types/inode.h"

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

/* What the inodes know goes with them. */
static void
keep_gfids(loc_t *loc)
{
    if (loc->inode && gf_uuid_is_null(loc->gfid))
        gf_uuid_copy(loc->gfid, loc->inode->gfid);
    if (loc->parent && gf_uuid_is_null(loc->pargfid))
        gf_uuid_copy(loc->pargfid, loc->parent->gfid);
}

static void
let_go(struct glupy_holder *holder, bool alive)
{
    struct glupy_loc *self = (void *)((char *)holder - offsetof(struct glupy_loc, holder));

    self->gone = true;
    if (alive)
        keep_gfids(&self->own);
    glupy_let_go_inode(&self->own.inode, alive);
    glupy_let_go_inode(&self->own.parent, alive);
}

bool
glupy_loc_alive(PyObject *object)
{
    if (((struct glupy_loc *)object)->gone)
        PyErr_SetString(PyExc_ReferenceError, "the graph of this Loc is gone");
    return !((struct glupy_loc *)object)->gone;
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
    struct glupy_loc *self = (struct glupy_loc *)glupy_spares_take(&state->loc_spares, state->loc_type);

    if (self) {
        self->owner = (struct glupy_instance *)Py_XNewRef((PyObject *)owner);
        memset(&self->own, 0, sizeof(self->own));
        self->loc = &self->own;
        self->gone = false;
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

/* One that borrows is no holder. */
static __attribute__((noinline)) void
give_up_own(struct glupy_loc *self)
{
    free_own_name(&self->own);
    glupy_drop_loc(&self->own);
    glupy_holder_remove(&self->holder);
}

static void
loc_dealloc(PyObject *object)
{
    struct glupy_loc *self = (struct glupy_loc *)object;

    if (self->loc == &self->own)
        give_up_own(self);
    Py_XDECREF(self->owner);
    glupy_spares_give(&glupy_state_of(object)->loc_spares, object);
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
    return glupy_loc_alive(self) ? glupy_inode_new(glupy_state_of(self), owner_of(self), loc_of(self)->inode) : NULL;
}

static PyObject *
get_parent(PyObject *self, void *unused)
{
    (void)unused;
    return glupy_loc_alive(self) ? glupy_inode_new(glupy_state_of(self), owner_of(self), loc_of(self)->parent) : NULL;
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

/* What the constructor and replace() are given. */
struct changes {
    PyObject *path; /* as bytes, a reference; NULL: none */
    PyObject *inode, *parent;
    uuid_t gfid, pargfid;
    bool has_gfid, has_pargfid;
};

static int
read_gfid(struct glupy_state *state, PyObject *value, uuid_t gfid)
{
    if (value != Py_None)
        return glupy_gfid_from(state, value, gfid);
    memset(gfid, 0, sizeof(uuid_t));
    return 0;
}

static int
check_inode(struct glupy_state *state, PyObject *value)
{
    if (!value || value == Py_None)
        return 0;
    if (Py_IS_TYPE(value, state->inode_type))
        return glupy_inode_alive(value) ? 0 : -1;
    PyErr_Format(PyExc_TypeError, "expected Inode or None, not %s", Py_TYPE(value)->tp_name);
    return -1;
}

/* All that may run code of the author's, before there are any references that nobody knows of yet. */
static int
read_changes(struct glupy_state *state, PyObject *args, PyObject *kwargs, struct changes *changes)
{
    static char *names[] = {"path", "inode", "parent", "gfid", "pargfid", NULL};
    PyObject *path = NULL, *gfid = NULL, *pargfid = NULL;

    *changes = (struct changes){.path = NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOOOO:Loc", names, &path, &changes->inode, &changes->parent, &gfid,
                                     &pargfid))
        return -1;
    changes->has_gfid = gfid;
    changes->has_pargfid = pargfid;
    if ((gfid && read_gfid(state, gfid, changes->gfid) != 0) ||
        (pargfid && read_gfid(state, pargfid, changes->pargfid) != 0) ||
        (path && path != Py_None && !(changes->path = glupy_text_bytes(path))))
        return -1;
    if (check_inode(state, changes->inode) == 0 && check_inode(state, changes->parent) == 0)
        return 0;
    Py_CLEAR(changes->path);
    return -1;
}

static int
set_path(loc_t *loc, const char *path)
{
    const char *slash;

    free_own_name(loc);
    GF_FREE((char *)loc->path);
    loc->path = gf_strdup(path);
    loc->name = NULL;
    if (!loc->path)
        return -1;
    slash = strrchr(loc->path, '/');
    loc->name = slash ? slash + 1 : NULL; /* it points into path, as everywhere in GlusterFS */
    return 0;
}

static void
set_inode(struct glupy_loc *self, inode_t **slot, PyObject *value)
{
    glupy_drop_inode(*slot);
    *slot = value == Py_None ? NULL : inode_ref(((struct glupy_reference *)value)->inode);
    if (*slot)
        glupy_set_owner(&glupy_kind_loc, (PyObject *)self, ((struct glupy_reference *)value)->owner);
}

/* 0 or -1 (no memory). */
static int
change(struct glupy_loc *self, const struct changes *changes)
{
    loc_t *loc = &self->own;
    int failed = changes->path ? set_path(loc, PyBytes_AS_STRING(changes->path)) : 0;

    if (changes->inode)
        set_inode(self, &loc->inode, changes->inode);
    if (changes->parent)
        set_inode(self, &loc->parent, changes->parent);
    if (changes->has_gfid)
        gf_uuid_copy(loc->gfid, changes->gfid);
    if (changes->has_pargfid)
        gf_uuid_copy(loc->pargfid, changes->pargfid);
    set_owned(glupy_state_of((PyObject *)self), self);
    return failed;
}

static int
check_tables(const struct glupy_loc *self)
{
    if (!self->own.inode || !self->own.parent || self->own.inode->table == self->own.parent->table)
        return 0;
    PyErr_SetString(PyExc_ValueError, "Loc: inode and parent belong to different inode tables");
    return -1;
}

/* A new Loc, a copy of another's unless that is NULL, with what the arguments say. */
static PyObject *
changed(struct glupy_state *state, PyObject *source, PyObject *args, PyObject *kwargs)
{
    struct glupy_loc *self;
    struct changes changes;

    if (read_changes(state, args, kwargs, &changes) != 0)
        return NULL;
    if (source && !glupy_loc_alive(source)) {
        Py_XDECREF(changes.path);
        return NULL;
    }
    self = make(state, source ? owner_of(source) : NULL);
    if (self && ((source && copy_loc(&self->own, loc_of(source)) != 0) || change(self, &changes) != 0)) {
        Py_CLEAR(self);
        PyErr_NoMemory();
    }
    Py_XDECREF(changes.path);
    if (self && check_tables(self) != 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static PyObject *
loc_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return changed(glupy_state_of_type(type), NULL, args, kwargs);
}

PyDoc_STRVAR(replace_doc, "replace($self, /, path=None, inode=None, parent=None, gfid=None, pargfid=None)\n--\n\n"
                          "A copy with some fields changed. name always follows from path.");

static PyObject *
loc_replace(PyObject *object, PyObject *args, PyObject *kwargs)
{
    return changed(glupy_state_of(object), object, args, kwargs);
}

/* Loc objects that are made out of what the inode table knows. */

/* The last part of the path, as everywhere in GlusterFS a pointer into it. */
static void
name_from_path(loc_t *loc)
{
    const char *slash = loc->path ? strrchr(loc->path, '/') : NULL;

    loc->name = slash && slash[1] ? slash + 1 : NULL;
}

/* A name that may be looked up in a directory: a bytes object, or NULL with TypeError or ValueError. */
static PyObject *
entry_name(PyObject *name)
{
    PyObject *bytes = glupy_text_bytes(name);

    if (bytes && (!PyBytes_GET_SIZE(bytes) || strchr(PyBytes_AS_STRING(bytes), '/'))) {
        PyErr_Format(PyExc_ValueError, "%R is no name of a directory entry", name);
        Py_CLEAR(bytes);
    }
    return bytes;
}

/* Fill path and name of an entry of a directory with that path, or the name alone where the path is not known. 0 or -1
 * (no memory). */
static int
set_child_path(loc_t *loc, const char *directory, const char *name)
{
    char *path = NULL;

    if (!directory)
        return (loc->name = gf_strdup(name)) ? 0 : -1;
    if (gf_asprintf(&path, "%s/%s", strcmp(directory, "/") == 0 ? "" : directory, name) < 0)
        return -1;
    loc->path = path;
    name_from_path(loc);
    return 0;
}

/* Fill parent and inode of an empty loc, whose references it takes over; a NULL `inode` gets a fresh one. 0 or -1 (no
 * memory), as the next ones. */
static int
set_entry(loc_t *loc, inode_t *parent, inode_t *inode)
{
    loc->parent = parent;
    gf_uuid_copy(loc->pargfid, parent->gfid);
    loc->inode = inode ? inode : inode_new(parent->table);
    if (inode)
        gf_uuid_copy(loc->gfid, inode->gfid);
    return loc->inode ? 0 : -1;
}

/* Fill an empty loc with what the table knows of an inode, whose reference it takes over. */
static int
set_known(loc_t *loc, inode_t *inode)
{
    char *path = NULL;

    loc->inode = inode;
    gf_uuid_copy(loc->gfid, inode->gfid);
    if (gf_uuid_is_null(inode->gfid))
        return 0;
    if (inode_path(inode, NULL, &path) == -ENOMEM)
        return -1;
    loc->path = path;
    name_from_path(loc);
    loc->parent = inode_parent(inode, NULL, NULL);
    if (loc->parent)
        gf_uuid_copy(loc->pargfid, loc->parent->gfid);
    return 0;
}

/* Fill an empty loc for a gfid that the table does not know. */
static int
set_unknown(loc_t *loc, inode_table_t *table, uuid_t gfid)
{
    char *path = NULL;

    gf_uuid_copy(loc->gfid, gfid);
    loc->inode = inode_new(table);
    if (!loc->inode || gf_asprintf(&path, INODE_PATH_FMT, uuid_utoa(gfid)) < 0)
        return -1;
    loc->path = path;
    return 0;
}

/* The Loc that one of these filled, or MemoryError if it failed. Takes over the content of *loc. */
static PyObject *
filled(struct glupy_state *state, struct glupy_instance *owner, loc_t *loc, int failed)
{
    PyObject *self = failed ? PyErr_NoMemory() : glupy_loc_new(state, owner, loc);

    if (!self) {
        free_own_name(loc);
        glupy_drop_loc(loc);
    }
    return self;
}

PyDoc_STRVAR(child_doc, "child($self, name, inode=None, /)\n--\n\n"
                        "The Loc of an entry of this directory. Without an inode a fresh one is made in the same table, as\n"
                        "lookup and the create-like fops need. Raises ValueError where this Loc has no inode, or for a name\n"
                        "that is empty or has a slash in it.");

static PyObject *
loc_child(PyObject *object, PyObject *args)
{
    struct glupy_state *state = glupy_state_of(object);
    PyObject *name, *inode = Py_None, *bytes;
    loc_t *parent, loc = {0};
    int failed;

    if (!PyArg_ParseTuple(args, "O|O:child", &name, &inode))
        return NULL;
    if (inode != Py_None && !Py_IS_TYPE(inode, state->inode_type))
        return PyErr_Format(PyExc_TypeError, "inode: expected Inode or None, not %s", Py_TYPE(inode)->tp_name);
    if ((inode != Py_None && !glupy_inode_alive(inode)) || !glupy_loc_alive(object))
        return NULL;
    bytes = entry_name(name);
    if (!bytes)
        return NULL;
    parent = loc_of(object);
    if (!parent->inode) {
        Py_DECREF(bytes);
        return PyErr_Format(PyExc_ValueError, "child(): this Loc has no inode");
    }
    if (inode != Py_None && glupy_inode_alive(inode)->table != parent->inode->table) {
        Py_DECREF(bytes);
        return PyErr_Format(PyExc_ValueError, "child(): the inode belongs to another inode table than this Loc");
    }
    failed = set_entry(&loc, inode_ref(parent->inode),
                       inode == Py_None ? NULL : inode_ref(glupy_inode_alive(inode))) ||
             set_child_path(&loc, parent->path, PyBytes_AS_STRING(bytes));
    if (!gf_uuid_is_null(parent->gfid))
        gf_uuid_copy(loc.pargfid, parent->gfid);
    Py_DECREF(bytes);
    return filled(state, owner_of(object), &loc, failed);
}

PyDoc_STRVAR(from_inode_doc, "from_inode(inode, /)\n--\n\n"
                             "The Loc of an inode: its gfid, and the path, name and parent that the table knows\n"
                             "(inode_path(), inode_parent()). Of a file with several links one is taken.\n"
                             "Loc.from_inode(directory).child(name) is an entry in a directory.");

static PyObject *
loc_from_inode(PyObject *type, PyObject *value)
{
    struct glupy_state *state = glupy_state_of_type((PyTypeObject *)type);
    loc_t loc = {0};

    if (!Py_IS_TYPE(value, state->inode_type))
        return PyErr_Format(PyExc_TypeError, "expected Inode, not %s", Py_TYPE(value)->tp_name);
    if (!glupy_inode_alive(value))
        return NULL;
    return filled(state, ((struct glupy_reference *)value)->owner, &loc, set_known(&loc, inode_ref(glupy_inode_alive(value))));
}

PyDoc_STRVAR(from_gfid_doc, "from_gfid(table, gfid, /)\n--\n\n"
                            "The Loc of a gfid. If the table knows it, that of its inode; else one with a fresh inode and the\n"
                            "path '<gfid:…>', with which a lookup asks whether there is such a file. Raises ValueError for\n"
                            "the null gfid.");

static PyObject *
loc_from_gfid(PyObject *type, PyObject *args)
{
    struct glupy_state *state = glupy_state_of_type((PyTypeObject *)type);
    PyObject *object, *value;
    inode_table_t *table;
    inode_t *inode;
    loc_t loc = {0};
    uuid_t gfid;

    if (!PyArg_ParseTuple(args, "O!O:from_gfid", state->inode_table_type, &object, &value) ||
        glupy_gfid_from(state, value, gfid) != 0 || !(table = glupy_inode_table_alive(object)))
        return NULL;
    if (gf_uuid_is_null(gfid))
        return PyErr_Format(PyExc_ValueError, "from_gfid(): the gfid is null, which is no file's");
    inode = inode_find(table, gfid);
    return filled(state, ((struct glupy_inode_table *)object)->owner, &loc, inode ? set_known(&loc, inode) : set_unknown(&loc, table, gfid));
}

/* Where in the table the inodes of a path are. */
struct walk {
    inode_t *parent; /* of the last part; NULL where the table does not know so much, and for the root */
    inode_t *inode;  /* of the whole path, if known */
};

/* Both are references for the caller. Not attached to the interpreter: unref may run forget() of other layers. */
static struct walk
walk_path(inode_table_t *table, const char *path)
{
    struct walk walk = {.inode = inode_ref(table->root)};
    char name[NAME_MAX + 1];

    for (path += strspn(path, "/"); *path; path += strspn(path, "/")) {
        size_t size = strcspn(path, "/");

        if (walk.parent)
            inode_unref(walk.parent);
        walk.parent = walk.inode;
        walk.inode = NULL;
        if (!walk.parent)
            break;
        if (size < sizeof(name)) {
            memcpy(name, path, size);
            name[size] = '\0';
            walk.inode = inode_grep(table, walk.parent, name);
        }
        path += size;
    }
    return walk;
}

/* One that starts at the root, has no part that cannot be a name in the table, and ends with a slash only if it is the
 * root's. A new bytes object, or NULL with TypeError or ValueError. */
static PyObject *
absolute_path(PyObject *value)
{
    PyObject *bytes = glupy_text_bytes(value);
    const char *path = bytes ? PyBytes_AS_STRING(bytes) : "/";
    size_t size = strlen(path);
    bool fine = path[0] == '/' && (size == 1 || path[size - 1] != '/') && !strstr(path, "//");

    for (const char *part = path; fine && part; part = strchr(part + 1, '/')) {
        size_t dots = strspn(part + 1, ".");

        fine = !((dots == 1 || dots == 2) && (part[1 + dots] == '/' || !part[1 + dots]));
    }
    if (bytes && !fine) {
        PyErr_Format(PyExc_ValueError,
                     "from_path(): %R is no path from the root, without '.', '..' and spare slashes", value);
        Py_CLEAR(bytes);
    }
    return bytes;
}

/* The Loc of a path that was walked, whose references it takes over. */
static PyObject *
walked(struct glupy_state *state, struct glupy_instance *owner, const char *path, struct walk walk)
{
    loc_t loc = {0};
    int failed;

    if (!walk.parent && walk.inode)
        return filled(state, owner, &loc, set_known(&loc, walk.inode));
    if (!walk.parent)
        Py_RETURN_NONE;
    failed = set_entry(&loc, walk.parent, walk.inode) || !(loc.path = gf_strdup(path));
    name_from_path(&loc);
    return filled(state, owner, &loc, failed);
}

PyDoc_STRVAR(from_path_doc, "from_path(table, path, /)\n--\n\n"
                            "The Loc of a path from the volume's root, as far as the inode table knows it: nothing is wound.\n"
                            "With the file's inode if it is known; with a fresh one, as lookup and create-like fops need, if\n"
                            "only its directory is; None if the directory is not known either, which says nothing of whether\n"
                            "it exists. Raises ValueError for a path that does not begin with a slash, ends with one, or has\n"
                            "'.', '..' or an empty part.");

static PyObject *
loc_from_path(PyObject *type, PyObject *args)
{
    struct glupy_state *state = glupy_state_of_type((PyTypeObject *)type);
    PyObject *object, *value, *bytes, *result;
    inode_table_t *table;
    struct walk walk;

    if (!PyArg_ParseTuple(args, "O!O:from_path", state->inode_table_type, &object, &value) ||
        !(bytes = absolute_path(value)))
        return NULL;
    table = glupy_inode_table_alive(object);
    if (!table) {
        Py_DECREF(bytes);
        return NULL;
    }
    state->away++; /* the table stays until we are back */
    Py_BEGIN_ALLOW_THREADS
    walk = walk_path(table, PyBytes_AS_STRING(bytes));
    Py_END_ALLOW_THREADS
    state->away--;
    result = walked(state, ((struct glupy_inode_table *)object)->owner, PyBytes_AS_STRING(bytes), walk);
    Py_DECREF(bytes);
    return result;
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
    {"from_inode", loc_from_inode, METH_O | METH_CLASS, from_inode_doc},
    {"from_gfid", loc_from_gfid, METH_VARARGS | METH_CLASS, from_gfid_doc},
    {"from_path", loc_from_path, METH_VARARGS | METH_CLASS, from_path_doc},
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

int
glupy_loc_unfit(PyObject *object)
{
    if (glupy_fit_not_none(object) == 0 && glupy_loc_alive(object))
        PyErr_SetString(PyExc_ValueError, "a Loc without an inode; Loc.child() or replace(inode=...) makes one with it");
    return -1;
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

    glupy_loc_pass(object, &loc);
    if (kind_hold(held, &loc) == 0)
        return 0;
    PyErr_NoMemory();
    return -1;
}

const struct glupy_kind glupy_kind_loc = {
    .name = "Loc",
    .passed_size = sizeof(loc_t *),
    .held_size = sizeof(loc_t),
    .form = GLUPY_RECORD,
    .owner = offsetof(struct glupy_loc, owner),
    .wrap = glupy_loc_wrap,
    .own = kind_own,
    .convert = glupy_loc_convert,
    .fit = glupy_loc_fit,
    .pass = glupy_loc_pass,
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
