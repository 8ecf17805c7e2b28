/* Dirents and Dirent: the gf_dirent_t entries (gf-dirent.h) that readdir and readdirp answer with.
 *
 * A Dirent owns one gf_dirent_t node. A Dirents that came from a callback keeps the C list as it is until somebody
 * looks into it; then each node becomes a Dirent in a Python list. What Python sees of a node as an object of its own
 * that can be changed in place (d_stat, dict) is written back before the node goes to GlusterFS ("settled").
 *
 * Nodes sit in intrusive lists, and whoever is given a list may take nodes out and free them. Hence a list that leaves
 * an object is made of copies. */
#include "values/types/types.h"

struct dirent_object {
    PyObject_HEAD
    struct glupy_holder holder;
    struct glupy_instance *owner; /* of its inode: a reference, or NULL */
    gf_dirent_t *node;
    PyObject *d_stat; /* the Iatt given out for node->d_stat, NULL: none yet */
    PyObject *dict;   /* the Xdata given out for node->dict, NULL: none yet */
    bool gone;        /* it had an inode, and its graph is gone */
};

struct dirents_object {
    PyObject_HEAD
    struct glupy_holder holder;
    struct glupy_instance *owner; /* of its entries' inodes: a reference, or NULL */
    struct list_head nodes; /* as they came, until `items` exists */
    PyObject *items;        /* list of Dirent, NULL: nobody has looked yet */
    gf_dirent_t lent;       /* head of what pass() gave */
    bool gone;              /* there were inodes among `nodes`, and their graph is gone */
};

static inline struct dirent_object *
dirent_of(PyObject *object)
{
    return (struct dirent_object *)object;
}

static inline struct dirents_object *
dirents_of(PyObject *object)
{
    return (struct dirents_object *)object;
}

/* Lists of nodes. */

/* Free what is in a list, with the interpreter attached. */
static void
nodes_discard(struct list_head *head)
{
    while (!list_empty(head)) {
        gf_dirent_t *node = list_entry(head->next, gf_dirent_t, list);
        list_del_init(&node->list);
        glupy_drop_dirent(node);
    }
}

/* Append copies of a list's nodes to another, empty one: 0, or -1 (no memory) with nothing appended. */
static int
nodes_copy(struct list_head *to, struct list_head *from)
{
    gf_dirent_t *node;

    list_for_each_entry(node, from, list)
    {
        gf_dirent_t *copy = entry_copy(node);
        if (!copy) {
            nodes_discard(to);
            return -1;
        }
        list_add_tail(&copy->list, to);
    }
    return 0;
}

/* Dirent. */

static void
dirent_let_go(struct glupy_holder *holder, bool alive)
{
    struct dirent_object *self = (void *)((char *)holder - offsetof(struct dirent_object, holder));

    self->gone = true;
    glupy_let_go_inode(&self->node->inode, alive);
}

/* Give the object its node, or another one. */
static void
dirent_set_node(struct glupy_state *state, struct dirent_object *self, gf_dirent_t *node)
{
    self->node = node;
    glupy_holder_remove(&self->holder);
    if (node && node->inode)
        glupy_holder_add(state, &self->holder, node->inode->table, dirent_let_go);
}

static PyObject *
dirent_alloc(struct glupy_state *state, gf_dirent_t *node)
{
    PyObject *self = glupy_disown(state->dirent_type->tp_alloc(state->dirent_type, 0));

    if (self) {
        glupy_holder_init(&dirent_of(self)->holder);
        dirent_set_node(state, dirent_of(self), node);
    }
    return self;
}

static void
node_set_dict(gf_dirent_t *node, dict_t *dict)
{
    dict_t *old = node->dict;

    if (dict == old)
        return;
    node->dict = dict ? dict_ref(dict) : NULL;
    glupy_drop_dict(old);
}

/* Write back what was changed through objects of its own. */
static void
dirent_settle(struct dirent_object *self)
{
    if (self->d_stat)
        self->node->d_stat = *((struct glupy_iatt *)self->d_stat)->iatt;
    if (self->dict)
        node_set_dict(self->node, glupy_xdata_dict(self->dict));
}

/* A node for a name given in Python: NULL with an exception. */
static gf_dirent_t *
node_for_name(PyObject *name)
{
    PyObject *bytes = glupy_text_bytes(name);

    if (!bytes)
        return NULL;
    gf_dirent_t *node = NULL;
    if (!PyBytes_GET_SIZE(bytes))
        PyErr_SetString(PyExc_ValueError, "d_name cannot be empty");
    else if (!(node = gf_dirent_for_name(PyBytes_AS_STRING(bytes))))
        PyErr_NoMemory();
    Py_DECREF(bytes);
    return node;
}

static int
refuse_delete(PyObject *value)
{
    if (value)
        return 0;
    PyErr_SetString(PyExc_AttributeError, "fields of a Dirent cannot be deleted");
    return -1;
}

static PyObject *
dirent_get_d_name(PyObject *self, void *ignored)
{
    (void)ignored;
    return glupy_text(dirent_of(self)->node->d_name);
}

/* A name is part of its node: it takes a new one. */
static int
dirent_set_d_name(PyObject *self, PyObject *value, void *ignored)
{
    (void)ignored;
    gf_dirent_t *old, *node = refuse_delete(value) < 0 ? NULL : node_for_name(value);
    if (!node)
        return -1;
    old = dirent_of(self)->node;
    node->d_ino = old->d_ino;
    node->d_off = old->d_off;
    node->d_type = old->d_type;
    node->d_stat = old->d_stat;
    node->dict = old->dict;
    node->inode = old->inode;
    old->dict = NULL;
    old->inode = NULL;
    dirent_set_node(glupy_state_of(self), dirent_of(self), node);
    glupy_drop_dirent(old);
    return 0;
}

static int
to_unsigned(PyObject *value, unsigned long long limit, const char *name, unsigned long long *number)
{
    if (refuse_delete(value) < 0)
        return -1;
    if (!PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be int, not %.100s", name, Py_TYPE(value)->tp_name);
        return -1;
    }
    *number = PyLong_AsUnsignedLongLong(value);
    if (!PyErr_Occurred() && *number <= limit)
        return 0;
    PyErr_Format(PyExc_OverflowError, "%s is out of range", name);
    return -1;
}

static PyObject *
dirent_get_d_ino(PyObject *self, void *ignored)
{
    (void)ignored;
    return PyLong_FromUnsignedLongLong(dirent_of(self)->node->d_ino);
}

static int
dirent_set_d_ino(PyObject *self, PyObject *value, void *ignored)
{
    unsigned long long number;

    (void)ignored;
    if (to_unsigned(value, UINT64_MAX, "d_ino", &number) < 0)
        return -1;
    dirent_of(self)->node->d_ino = number;
    return 0;
}

static PyObject *
dirent_get_d_off(PyObject *self, void *ignored)
{
    (void)ignored;
    return PyLong_FromUnsignedLongLong(dirent_of(self)->node->d_off);
}

static int
dirent_set_d_off(PyObject *self, PyObject *value, void *ignored)
{
    unsigned long long number;

    (void)ignored;
    if (to_unsigned(value, UINT64_MAX, "d_off", &number) < 0)
        return -1;
    dirent_of(self)->node->d_off = number;
    return 0;
}

static PyObject *
dirent_get_d_type(PyObject *self, void *ignored)
{
    (void)ignored;
    return PyLong_FromUnsignedLong(dirent_of(self)->node->d_type);
}

static int
dirent_set_d_type(PyObject *self, PyObject *value, void *ignored)
{
    unsigned long long number;

    (void)ignored;
    if (to_unsigned(value, UINT32_MAX, "d_type", &number) < 0)
        return -1;
    dirent_of(self)->node->d_type = (uint32_t)number;
    return 0;
}

static PyObject *
dirent_get_d_len(PyObject *self, void *ignored)
{
    (void)ignored;
    return PyLong_FromUnsignedLong(dirent_of(self)->node->d_len);
}

static PyObject *
dirent_get_d_stat(PyObject *object, void *ignored)
{
    struct dirent_object *self = dirent_of(object);

    (void)ignored;
    if (!self->d_stat)
        self->d_stat = glupy_iatt_new(glupy_state_of(object), &self->node->d_stat);
    return Py_XNewRef(self->d_stat);
}

static int
dirent_set_d_stat(PyObject *object, PyObject *value, void *ignored)
{
    struct dirent_object *self = dirent_of(object);

    (void)ignored;
    if (refuse_delete(value) < 0)
        return -1;
    if (Py_IsNone(value)) {
        self->node->d_stat = (struct iatt){0};
    } else if (Py_IS_TYPE(value, glupy_state_of(object)->iatt_type)) {
        self->node->d_stat = *((struct glupy_iatt *)value)->iatt;
    } else {
        PyErr_Format(PyExc_TypeError, "d_stat must be Iatt or None, not %.100s", Py_TYPE(value)->tp_name);
        return -1;
    }
    Py_CLEAR(self->d_stat);
    return 0;
}

static PyObject *
dirent_get_inode(PyObject *self, void *ignored)
{
    (void)ignored;
    if (!dirent_of(self)->gone)
        return glupy_inode_new(glupy_state_of(self), dirent_of(self)->owner, dirent_of(self)->node->inode);
    PyErr_SetString(PyExc_ReferenceError, "the graph of this Dirent is gone");
    return NULL;
}

static int
dirent_set_inode(PyObject *self, PyObject *value, void *ignored)
{
    gf_dirent_t *node = dirent_of(self)->node;
    inode_t *inode = NULL, *old = node->inode;

    (void)ignored;
    if (refuse_delete(value) < 0)
        return -1;
    if (Py_IS_TYPE(value, glupy_state_of(self)->inode_type)) {
        if (!(inode = glupy_inode_alive(value)))
            return -1;
        if (!dirent_of(self)->owner)
            dirent_of(self)->owner =
                (struct glupy_instance *)Py_XNewRef((PyObject *)((struct glupy_reference *)value)->owner);
    } else if (!Py_IsNone(value)) {
        PyErr_Format(PyExc_TypeError, "inode must be Inode or None, not %.100s", Py_TYPE(value)->tp_name);
        return -1;
    }
    node->inode = inode ? inode_ref(inode) : NULL;
    dirent_of(self)->gone = false;
    dirent_set_node(glupy_state_of(self), dirent_of(self), node);
    glupy_drop_inode(old);
    return 0;
}

static PyObject *
dirent_get_dict(PyObject *object, void *ignored)
{
    struct dirent_object *self = dirent_of(object);

    (void)ignored;
    if (!self->dict && !self->node->dict)
        return Py_NewRef(Py_None);
    if (!self->dict)
        self->dict = glupy_xdata_new(glupy_state_of(object), self->node->dict);
    return Py_XNewRef(self->dict);
}

/* An Xdata is kept itself: what is changed in it later belongs to the entry. */
static int
dirent_set_dict(PyObject *object, PyObject *value, void *ignored)
{
    struct dirent_object *self = dirent_of(object);

    (void)ignored;
    if (refuse_delete(value) < 0)
        return -1;
    PyObject *dict = glupy_kind_dict.convert(glupy_state_of(object), value);
    if (!dict)
        return -1;
    if (glupy_kind_dict.own(dict) < 0) {
        Py_DECREF(dict);
        return -1;
    }
    if (Py_IsNone(dict)) {
        node_set_dict(self->node, NULL);
        Py_CLEAR(dict);
    }
    Py_XSETREF(self->dict, dict);
    return 0;
}

static PyObject *
dirent_repr(PyObject *self)
{
    PyObject *name = dirent_get_d_name(self, NULL), *text = name ? PyUnicode_FromFormat("Dirent(%R)", name) : NULL;

    Py_XDECREF(name);
    return text;
}

/* Set the constructor's arguments, where given. */
static int
dirent_fill(PyObject *self, PyObject *const *values)
{
    static const setter setters[] = {dirent_set_d_ino, dirent_set_d_off,  dirent_set_d_type,
                                     dirent_set_d_stat, dirent_set_inode, dirent_set_dict};

    gf_dirent_t *node = dirent_of(self)->node;

    node->d_ino = 0;
    for (size_t i = 0; i < sizeof(setters) / sizeof(setters[0]); i++)
        if (values[i] && setters[i](self, values[i], NULL) < 0)
            return -1;
    if (!values[0])
        node->d_ino = node->d_stat.ia_ino;
    if (!values[2])
        node->d_type = gf_d_type_from_ia_type(node->d_stat.ia_type);
    return 0;
}

static PyObject *
dirent_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"d_name", "d_ino", "d_off", "d_type", "d_stat", "inode", "dict", NULL};
    PyObject *name, *values[6] = {NULL};

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OOOOOO:Dirent", names, &name, &values[0], &values[1], &values[2],
                                     &values[3], &values[4], &values[5]))
        return NULL;
    gf_dirent_t *node = node_for_name(name);
    PyObject *self = node ? dirent_alloc(glupy_state_of_type(type), node) : NULL;
    if (!self)
        glupy_drop_dirent(node);
    if (self && dirent_fill(self, values) < 0)
        Py_CLEAR(self);
    return self;
}

static void
dirent_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    glupy_holder_remove(&dirent_of(self)->holder);
    glupy_drop_dirent(dirent_of(self)->node);
    Py_XDECREF(dirent_of(self)->d_stat);
    Py_XDECREF(dirent_of(self)->dict);
    Py_XDECREF(dirent_of(self)->owner);
    type->tp_free(self);
    Py_DECREF(type);
}

PyDoc_STRVAR(dirent_doc,
             "Dirent(d_name, *, d_ino=0, d_off=0, d_type=0, d_stat=None, inode=None, dict=None)\n--\n\n"
             "An entry of a directory: gf_dirent_t (gf-dirent.h). d_ino and d_type follow from d_stat where they are not\n"
             "given. Raises TypeError, ValueError (a name that is empty or has a NUL) and OverflowError.");

static PyGetSetDef dirent_getset[] = {
    {"d_name", dirent_get_d_name, dirent_set_d_name, "The name, str (bytes are accepted).", NULL},
    {"d_ino", dirent_get_d_ino, dirent_set_d_ino, "Inode number, 64 bits.", NULL},
    {"d_off", dirent_get_d_off, dirent_set_d_off, "Where the next readdir goes on, 64 bits.", NULL},
    {"d_type", dirent_get_d_type, dirent_set_d_type, "DT_REG, DT_DIR, … of dirent.h, 32 bits.", NULL},
    {"d_len", dirent_get_d_len, NULL, "Length of the name in bytes; follows d_name.", NULL},
    {"d_stat", dirent_get_d_stat, dirent_set_d_stat, "Attributes (Iatt), filled by readdirp. Set by copy.", NULL},
    {"inode", dirent_get_inode, dirent_set_inode, "The Inode, or None.", NULL},
    {"dict", dirent_get_dict, dirent_set_dict, "Extended attributes asked for (Xdata), or None.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot dirent_slots[] = {
    {Py_tp_doc, (void *)dirent_doc},
    {Py_tp_new, dirent_tp_new},
    {Py_tp_dealloc, dirent_dealloc},
    {Py_tp_repr, dirent_repr},
    {Py_tp_getset, dirent_getset},
    {0, NULL},
};

static PyType_Spec dirent_spec = {
    .name = "glupy._core.Dirent",
    .basicsize = sizeof(struct dirent_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = dirent_slots,
};

/* Dirents. */

static void
dirents_let_go(struct glupy_holder *holder, bool alive)
{
    struct dirents_object *self = (void *)((char *)holder - offsetof(struct dirents_object, holder));
    gf_dirent_t *node;

    self->gone = true;
    list_for_each_entry(node, &self->nodes, list)
    {
        glupy_let_go_inode(&node->inode, alive);
    }
}

/* Take over a list of nodes as it came. */
static void
dirents_set_nodes(struct glupy_state *state, struct dirents_object *self, struct list_head *list)
{
    gf_dirent_t *node;

    list_splice_init(list, &self->nodes);
    list_for_each_entry(node, &self->nodes, list)
    {
        if (!node->inode)
            continue;
        glupy_holder_add(state, &self->holder, node->inode->table, dirents_let_go);
        break;
    }
}

static PyObject *
dirents_alloc(struct glupy_state *state)
{
    PyObject *self = glupy_disown(state->dirents_type->tp_alloc(state->dirents_type, 0));

    if (self) {
        INIT_LIST_HEAD(&dirents_of(self)->nodes);
        INIT_LIST_HEAD(&dirents_of(self)->lent.list);
        glupy_holder_init(&dirents_of(self)->holder);
    }
    return self;
}

/* A list that stands inside a Dirents: nobody is to find it and put anything else into it. It is in no cycle, as what is in it
 * leads to nothing of the author's. */
static PyObject *
hidden(PyObject *list)
{
    if (list)
        PyObject_GC_UnTrack(list);
    return list;
}

/* A list with one Dirent, still without its node, for each node. */
static PyObject *
empty_dirents(struct glupy_state *state, struct list_head *nodes)
{
    struct list_head *at;
    PyObject *items = hidden(PyList_New(0));

    for (at = nodes->next; at != nodes && items; at = at->next) {
        PyObject *dirent = dirent_alloc(state, NULL);
        if (!dirent || PyList_Append(items, dirent) < 0)
            Py_CLEAR(items);
        Py_XDECREF(dirent);
    }
    return items;
}

/* The list of Dirent, made on first use: borrowed, NULL with MemoryError. */
static PyObject *
dirents_items(PyObject *object)
{
    struct dirents_object *self = dirents_of(object);

    if (self->items)
        return self->items;
    PyObject *items = empty_dirents(glupy_state_of(object), &self->nodes);
    if (self->items) { /* a garbage collection ran code that looked */
        Py_XDECREF(items);
        return self->items;
    }
    for (Py_ssize_t i = 0; items && i < PyList_GET_SIZE(items); i++) {
        gf_dirent_t *node = list_entry(self->nodes.next, gf_dirent_t, list);
        list_del_init(&node->list);
        dirent_set_node(glupy_state_of(object), dirent_of(PyList_GET_ITEM(items, i)), node);
        dirent_of(PyList_GET_ITEM(items, i))->gone |= self->gone;
        dirent_of(PyList_GET_ITEM(items, i))->owner = (struct glupy_instance *)Py_XNewRef((PyObject *)self->owner);
    }
    return self->items = items;
}

static int
check_dirent(struct glupy_state *state, PyObject *value)
{
    if (Py_IS_TYPE(value, state->dirent_type))
        return 0;
    PyErr_Format(PyExc_TypeError, "expected Dirent, not %.100s", Py_TYPE(value)->tp_name);
    return -1;
}

/* A new list of what an iterable of Dirent gives: NULL with TypeError for others. */
static PyObject *
dirent_list(struct glupy_state *state, PyObject *iterable)
{
    PyObject *list = hidden(PySequence_List(iterable));

    for (Py_ssize_t i = 0; list && i < PyList_GET_SIZE(list); i++)
        if (check_dirent(state, PyList_GET_ITEM(list, i)) < 0)
            Py_CLEAR(list);
    return list;
}

/* A new Dirents over a list of Dirent, whose reference it takes over; NULL gives NULL. */
static PyObject *
dirents_over(struct glupy_state *state, PyObject *list)
{
    PyObject *self = list ? dirents_alloc(state) : NULL;

    if (self)
        dirents_of(self)->items = list;
    else
        Py_XDECREF(list);
    return self;
}

/* Where a Dirent, or an entry of that name, is: -1 where it is not, -2 with an exception. */
static Py_ssize_t
dirents_find(PyObject *self, PyObject *value, Py_ssize_t from)
{
    bool is_name = PyUnicode_Check(value) || PyBytes_Check(value);
    PyObject *items = dirents_items(self), *name = items && is_name ? glupy_text_bytes(value) : NULL;
    Py_ssize_t found = -1;

    if (!items || (is_name && !name))
        found = -2;
    for (Py_ssize_t i = from; found == -1 && i < PyList_GET_SIZE(items); i++) {
        PyObject *item = PyList_GET_ITEM(items, i);
        if (item == value || (name && !strcmp(dirent_of(item)->node->d_name, PyBytes_AS_STRING(name))))
            found = i;
    }
    Py_XDECREF(name);
    return found;
}

/* Where it is, or -1 with an exception. */
static Py_ssize_t
dirents_locate(PyObject *self, PyObject *value)
{
    Py_ssize_t found = dirents_find(self, value, 0);

    if (found == -1)
        PyErr_Format(PyExc_ValueError, "%R is not in Dirents", value);
    return found < 0 ? -1 : found;
}

PyDoc_STRVAR(append_doc, "append($self, entry, /)\n--\n\nAdd a Dirent at the end.");

static PyObject *
dirents_append(PyObject *self, PyObject *value)
{
    PyObject *items = check_dirent(glupy_state_of(self), value) < 0 ? NULL : dirents_items(self);

    return items && PyList_Append(items, value) == 0 ? Py_NewRef(Py_None) : NULL;
}

PyDoc_STRVAR(insert_doc, "insert($self, index, entry, /)\n--\n\nInsert a Dirent before index.");

static PyObject *
dirents_insert(PyObject *self, PyObject *args)
{
    Py_ssize_t index;
    PyObject *value;

    if (!PyArg_ParseTuple(args, "nO:insert", &index, &value) || check_dirent(glupy_state_of(self), value) < 0)
        return NULL;
    PyObject *items = dirents_items(self);
    if (items && index < 0)
        index = Py_MAX(index + PyList_GET_SIZE(items), 0);
    return items && PyList_Insert(items, index, value) == 0 ? Py_NewRef(Py_None) : NULL;
}

PyDoc_STRVAR(extend_doc, "extend($self, entries, /)\n--\n\nAdd each Dirent of an iterable at the end.");

static PyObject *
dirents_extend(PyObject *self, PyObject *iterable)
{
    PyObject *list = dirent_list(glupy_state_of(self), iterable), *items = list ? dirents_items(self) : NULL;
    int ret = items ? PyList_SetSlice(items, PY_SSIZE_T_MAX, PY_SSIZE_T_MAX, list) : -1;

    Py_XDECREF(list);
    return ret < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
dirents_iadd(PyObject *self, PyObject *iterable)
{
    PyObject *done = dirents_extend(self, iterable);

    Py_XDECREF(done);
    return done ? Py_NewRef(self) : NULL;
}

PyDoc_STRVAR(remove_doc, "remove($self, entry, /)\n--\n\nRemove the first entry of that name, or that Dirent.");

static PyObject *
dirents_remove(PyObject *self, PyObject *value)
{
    Py_ssize_t found = dirents_locate(self, value);

    if (found < 0 || PySequence_DelItem(dirents_of(self)->items, found) < 0)
        return NULL;
    return Py_NewRef(Py_None);
}

PyDoc_STRVAR(index_doc, "index($self, entry, /)\n--\n\nIndex of the first entry of that name, or of that Dirent.");

static PyObject *
dirents_index(PyObject *self, PyObject *value)
{
    Py_ssize_t found = dirents_locate(self, value);

    return found < 0 ? NULL : PyLong_FromSsize_t(found);
}

PyDoc_STRVAR(count_doc, "count($self, entry, /)\n--\n\nHow many entries have that name, or are that Dirent.");

static PyObject *
dirents_count(PyObject *self, PyObject *value)
{
    Py_ssize_t count = 0, found = -1;

    while ((found = dirents_find(self, value, found + 1)) >= 0)
        count++;
    return found == -2 ? NULL : PyLong_FromSsize_t(count);
}

PyDoc_STRVAR(pop_doc, "pop($self, index=-1, /)\n--\n\nRemove the entry at index and return it.");

static PyObject *
dirents_pop(PyObject *self, PyObject *args)
{
    PyObject *items = dirents_items(self), *pop = items ? PyObject_GetAttrString(items, "pop") : NULL;
    PyObject *entry = pop ? PyObject_CallObject(pop, args) : NULL;

    Py_XDECREF(pop);
    return entry;
}

PyDoc_STRVAR(clear_doc, "clear($self, /)\n--\n\nRemove all entries.");

static PyObject *
dirents_clear(PyObject *self, PyObject *ignored)
{
    PyObject *items = dirents_items(self);

    (void)ignored;
    return items && PyList_SetSlice(items, 0, PY_SSIZE_T_MAX, NULL) == 0 ? Py_NewRef(Py_None) : NULL;
}

PyDoc_STRVAR(reverse_doc, "reverse($self, /)\n--\n\nReverse the order in place.");

static PyObject *
dirents_reverse(PyObject *self, PyObject *ignored)
{
    PyObject *items = dirents_items(self);

    (void)ignored;
    return items && PyList_Reverse(items) == 0 ? Py_NewRef(Py_None) : NULL;
}

static PyMethodDef dirents_methods[] = {
    {"append", dirents_append, METH_O, append_doc},
    {"insert", dirents_insert, METH_VARARGS, insert_doc},
    {"extend", dirents_extend, METH_O, extend_doc},
    {"remove", dirents_remove, METH_O, remove_doc},
    {"index", dirents_index, METH_O, index_doc},
    {"count", dirents_count, METH_O, count_doc},
    {"pop", dirents_pop, METH_VARARGS, pop_doc},
    {"clear", dirents_clear, METH_NOARGS, clear_doc},
    {"reverse", dirents_reverse, METH_NOARGS, reverse_doc},
    {NULL, NULL, 0, NULL},
};

static Py_ssize_t
dirents_length(PyObject *self)
{
    PyObject *items = dirents_items(self);

    return items ? PyList_GET_SIZE(items) : -1;
}

static PyObject *
dirents_item(PyObject *self, Py_ssize_t index)
{
    PyObject *items = dirents_items(self);

    return items ? PySequence_GetItem(items, index) : NULL;
}

static PyObject *
dirents_subscript(PyObject *self, PyObject *key)
{
    PyObject *items = dirents_items(self);

    return items ? PyObject_GetItem(items, key) : NULL;
}

static int
dirents_assign(PyObject *self, PyObject *key, PyObject *value)
{
    struct glupy_state *state = glupy_state_of(self);
    PyObject *items = dirents_items(self), *checked = NULL;

    if (!items)
        return -1;
    if (!value)
        return PyObject_DelItem(items, key);
    if (PySlice_Check(key))
        checked = dirent_list(state, value);
    else if (check_dirent(state, value) == 0)
        checked = Py_NewRef(value);
    int ret = checked ? PyObject_SetItem(items, key, checked) : -1;
    Py_XDECREF(checked);
    return ret;
}

static int
dirents_contains(PyObject *self, PyObject *value)
{
    Py_ssize_t found = dirents_find(self, value, 0);

    return found == -2 ? -1 : found >= 0;
}

/* By index: the list's own iterator would give the list away (__reduce__). */
static PyObject *
dirents_iter(PyObject *self)
{
    return PySeqIter_New(self);
}

static PyObject *
dirents_repr(PyObject *self)
{
    PyObject *items = dirents_items(self);

    return items ? PyUnicode_FromFormat("Dirents(%R)", items) : NULL;
}

static PyObject *
dirents_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"", NULL};
    struct glupy_state *state = glupy_state_of_type(type);
    PyObject *entries = NULL;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Dirents", names, &entries))
        return NULL;
    return dirents_over(state, entries ? dirent_list(state, entries) : hidden(PyList_New(0)));
}

static void
dirents_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    glupy_holder_remove(&dirents_of(self)->holder);
    nodes_discard(&dirents_of(self)->nodes);
    Py_XDECREF(dirents_of(self)->owner);
    nodes_discard(&dirents_of(self)->lent.list);
    Py_XDECREF(dirents_of(self)->items);
    type->tp_free(self);
    Py_DECREF(type);
}

PyDoc_STRVAR(dirents_doc,
             "Dirents(entries=(), /)\n--\n\n"
             "What readdir and readdirp answer with: a mutable sequence of Dirent, gf_dirent_t * in GlusterFS.\n\n"
             "Entries are found by identity or by their name, str or bytes: \"name\" in entries. Slices are lists.\n"
             "Raises TypeError for elements of other types.");

static PyType_Slot dirents_slots[] = {
    {Py_tp_doc, (void *)dirents_doc},
    {Py_tp_new, dirents_tp_new},
    {Py_tp_dealloc, dirents_dealloc},
    {Py_tp_repr, dirents_repr},
    {Py_tp_iter, dirents_iter},
    {Py_tp_methods, dirents_methods},
    {Py_sq_length, dirents_length},
    {Py_sq_item, dirents_item},
    {Py_sq_contains, dirents_contains},
    {Py_sq_inplace_concat, dirents_iadd},
    {Py_mp_length, dirents_length},
    {Py_mp_subscript, dirents_subscript},
    {Py_mp_ass_subscript, dirents_assign},
    {0, NULL},
};

static PyType_Spec dirents_spec = {
    .name = "glupy._core.Dirents",
    .basicsize = sizeof(struct dirents_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_SEQUENCE,
    .slots = dirents_slots,
};

/* Kind. */

/* Fill an empty list with copies of the nodes of Dirent objects: 0 or -1 (no memory). */
static int
items_to_nodes(PyObject *items, struct list_head *to)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); i++) {
        struct dirent_object *item = dirent_of(PyList_GET_ITEM(items, i));
        gf_dirent_t *copy;

        dirent_settle(item);
        copy = entry_copy(item->node);
        if (!copy) {
            nodes_discard(to);
            return -1;
        }
        list_add_tail(&copy->list, to);
    }
    return 0;
}

/* Fill an empty list for GlusterFS to keep. Copies: the object may be used again. 0 or -1 (no memory). */
static int
dirents_to_nodes(PyObject *object, struct list_head *to)
{
    struct dirents_object *self = dirents_of(object);

    return self->items ? items_to_nodes(self->items, to) : nodes_copy(to, &self->nodes);
}

static PyObject *
dirents_wrap(struct glupy_state *state, struct glupy_instance *owner, const void *passed)
{
    gf_dirent_t *entries = *(gf_dirent_t *const *)passed;

    if (!entries)
        return Py_NewRef(Py_None);
    PyObject *self = dirents_alloc(state);
    if (self && nodes_copy(&dirents_of(self)->nodes, &entries->list) < 0) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return self;
}

static PyObject *
dirents_convert(struct glupy_state *state, PyObject *value)
{
    if (Py_IS_TYPE(value, state->dirents_type))
        return Py_NewRef(value);
    if (Py_IsNone(value))
        return dirents_alloc(state);
    if (Py_TYPE(value)->tp_iter || PySequence_Check(value))
        return dirents_over(state, dirent_list(state, value));
    PyErr_Format(PyExc_TypeError, "expected Dirents or an iterable of Dirent, not %.100s", Py_TYPE(value)->tp_name);
    return NULL;
}

/* Without memory the list that is passed ends up empty: pass cannot fail. */
static void
dirents_pass(PyObject *object, void *passed)
{
    struct dirents_object *self = dirents_of(object);

    nodes_discard(&self->lent.list);
    dirents_to_nodes(object, &self->lent.list);
    *(gf_dirent_t **)passed = &self->lent;
}

/* The entries themselves change hands: callers free what is left in their list, and none looks at it before. */
static int
dirents_hold(void *held, const void *passed)
{
    gf_dirent_t *entries = *(gf_dirent_t *const *)passed, *head = held;

    memset(head, 0, sizeof(*head));
    INIT_LIST_HEAD(&head->list);
    if (entries)
        list_splice_init(&entries->list, &head->list);
    return 0;
}

static void
dirents_lend(void *held, void *passed)
{
    *(gf_dirent_t **)passed = held;
}

static void
dirents_drop(void *held)
{
    gf_dirent_free(held);
}

/* A list head's neighbours point to it. */
static void
dirents_move(void *to, void *from)
{
    INIT_LIST_HEAD(&((gf_dirent_t *)to)->list);
    list_splice_init(&((gf_dirent_t *)from)->list, &((gf_dirent_t *)to)->list);
}

static void
dirents_discard(void *held)
{
    gf_dirent_t *entry, *next, *head = held;

    list_for_each_entry_safe(entry, next, &head->list, list)
    {
        list_del_init(&entry->list);
        glupy_drop_dirent(entry);
    }
}

static PyObject *
dirents_adopt(struct glupy_state *state, void *held)
{
    PyObject *self = dirents_alloc(state);

    if (self)
        dirents_set_nodes(state, dirents_of(self), &((gf_dirent_t *)held)->list);
    return self;
}

static int
dirents_take(PyObject *object, void *held)
{
    gf_dirent_t *nothing = NULL, *head = held;

    dirents_hold(head, &nothing);
    if (dirents_to_nodes(object, &head->list) == 0)
        return 0;
    PyErr_NoMemory();
    return -1;
}

const struct glupy_kind glupy_kind_dirents = {
    .name = "Dirents",
    .passed_size = sizeof(gf_dirent_t *),
    .held_size = sizeof(gf_dirent_t),
    .form = GLUPY_LIST,
    .owner = offsetof(struct dirents_object, owner),
    .wrap = dirents_wrap,
    .convert = dirents_convert,
    .pass = dirents_pass,
    .hold = dirents_hold,
    .lend = dirents_lend,
    .drop = dirents_drop,
    .move = dirents_move,
    .discard = dirents_discard,
    .adopt = dirents_adopt,
    .take = dirents_take,
};

int
glupy_dirents_setup(struct glupy_state *state)
{
    if (glupy_add_type(state, &dirent_spec, &state->dirent_type) < 0 ||
        glupy_add_type(state, &dirents_spec, &state->dirents_type) < 0)
        return -1;
    PyObject *abc = PyImport_ImportModule("collections.abc");
    PyObject *base = abc ? PyObject_GetAttrString(abc, "MutableSequence") : NULL;
    PyObject *done = base ? PyObject_CallMethod(base, "register", "O", (PyObject *)state->dirents_type) : NULL;
    Py_XDECREF(done);
    Py_XDECREF(base);
    Py_XDECREF(abc);
    return done ? 0 : -1;
}
