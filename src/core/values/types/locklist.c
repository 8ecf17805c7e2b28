/* LockList and its entries, LockEntry: the locks that getactivelk answers and setactivelk is given (rebalance moves the
 * locks of a file with it).
 *
 * GlusterFS passes a lock_migration_info_t whose `list` links the entries; the other members of that head mean nothing.
 * A LockList keeps such a list of its own, immutable, so that passing it is passing its head. Entries and their
 * client_uid come from GF_MALLOC, because gf_free_mig_locks() frees them. */
#include "values/types/structs.h"

struct glupy_lock_entry {
    PyObject_HEAD
    PyObject *flock;
    PyObject *client_uid;
    uint32_t lk_flags;
};

struct glupy_locklist {
    PyObject_HEAD
    lock_migration_info_t head;
};

/* C lists. */

/* A head that was only ever zeroed is an empty list, too. */
static bool
entries_exist(const lock_migration_info_t *head)
{
    return head->list.next && head->list.next != &head->list;
}

static lock_migration_info_t *
entries_append(lock_migration_info_t *head, const struct gf_flock *flock, const char *client_uid, uint32_t lk_flags)
{
    lock_migration_info_t *entry = GF_MALLOC(sizeof(*entry), gf_common_mt_lock_mig);
    char *uid = entry ? gf_strdup(client_uid ? client_uid : "") : NULL;
    if (!uid) {
        GF_FREE(entry);
        return NULL;
    }
    glupy_flock_copy(&entry->flock, flock);
    entry->client_uid = uid;
    entry->lk_flags = lk_flags;
    INIT_LIST_HEAD(&entry->list);
    list_add_tail(&entry->list, &head->list);
    return entry;
}

static void
entries_drop(lock_migration_info_t *head)
{
    if (entries_exist(head))
        gf_free_mig_locks(head);
}

/* Initialise *to with copies of the entries of *from, which may be NULL: 0, or -1 (no memory) with *to empty. */
static int
entries_copy(lock_migration_info_t *to, const lock_migration_info_t *from)
{
    memset(to, 0, sizeof(*to));
    INIT_LIST_HEAD(&to->list);
    if (!from || !entries_exist(from))
        return 0;
    const lock_migration_info_t *entry;
    list_for_each_entry(entry, &from->list, list)
    {
        if (!entries_append(to, &entry->flock, entry->client_uid, entry->lk_flags)) {
            entries_drop(to);
            return -1;
        }
    }
    return 0;
}

/* LockEntry. */

static PyObject *
lock_create(PyTypeObject *type, const struct gf_flock *flock, PyObject *client_uid, uint32_t lk_flags)
{
    PyObject *copy = glupy_record_copy(glupy_state_of_type(type)->flock_type, flock);
    struct glupy_lock_entry *self = copy ? PyObject_New(struct glupy_lock_entry, type) : NULL;
    if (!self) {
        Py_XDECREF(copy);
        return NULL;
    }
    self->flock = copy;
    self->client_uid = Py_NewRef(client_uid);
    self->lk_flags = lk_flags;
    return (PyObject *)self;
}

static PyObject *
lock_of_entry(struct glupy_state *state, const lock_migration_info_t *entry)
{
    PyObject *client_uid = glupy_text(entry->client_uid);
    PyTypeObject *type = state->lock_entry_type;
    PyObject *lock = client_uid ? lock_create(type, &entry->flock, client_uid, entry->lk_flags) : NULL;
    Py_XDECREF(client_uid);
    return lock;
}

static PyObject *
lock_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"flock", "client_uid", "lk_flags", NULL};
    PyObject *flock, *client_uid, *flags = NULL;
    unsigned long long lk_flags = 0;
    PyTypeObject *flock_type = glupy_state_of_type(type)->flock_type;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!U|O:LockEntry", keywords, flock_type, &flock, &client_uid,
                                     &flags))
        return NULL;
    if (flags && glupy_record_unsigned(flags, UINT32_MAX, &lk_flags))
        return NULL;
    return lock_create(type, glupy_record_data(flock), client_uid, (uint32_t)lk_flags);
}

static void
lock_dealloc(PyObject *object)
{
    struct glupy_lock_entry *self = (struct glupy_lock_entry *)object;
    PyTypeObject *type = Py_TYPE(object);
    Py_DECREF(self->flock);
    Py_DECREF(self->client_uid);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *
lock_repr(PyObject *object)
{
    struct glupy_lock_entry *self = (struct glupy_lock_entry *)object;
    return PyUnicode_FromFormat("LockEntry(flock=%R, client_uid=%R, lk_flags=%lu)", self->flock, self->client_uid,
                                (unsigned long)self->lk_flags);
}

/* 1, 0, or -1 with an exception. */
static int
lock_equal(const struct glupy_lock_entry *mine, const struct glupy_lock_entry *theirs)
{
    if (mine->lk_flags != theirs->lk_flags)
        return 0;
    int equal = PyObject_RichCompareBool(mine->client_uid, theirs->client_uid, Py_EQ);
    return equal == 1 ? PyObject_RichCompareBool(mine->flock, theirs->flock, Py_EQ) : equal;
}

static PyObject *
lock_compare(PyObject *self, PyObject *other, int op)
{
    if (Py_TYPE(self) != Py_TYPE(other) || (op != Py_EQ && op != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    int equal = lock_equal((struct glupy_lock_entry *)self, (struct glupy_lock_entry *)other);
    return equal < 0 ? NULL : PyBool_FromLong(equal == (op == Py_EQ));
}

static PyObject *
lock_get_flock(PyObject *self, void *closure)
{
    return Py_NewRef(((struct glupy_lock_entry *)self)->flock);
}

static PyObject *
lock_get_client_uid(PyObject *self, void *closure)
{
    return Py_NewRef(((struct glupy_lock_entry *)self)->client_uid);
}

static PyObject *
lock_get_lk_flags(PyObject *self, void *closure)
{
    return PyLong_FromUnsignedLong(((struct glupy_lock_entry *)self)->lk_flags);
}

static PyObject *
lock_reduce(PyObject *object, PyObject *unused)
{
    struct glupy_lock_entry *self = (struct glupy_lock_entry *)object;
    return Py_BuildValue("O(OOk)", Py_TYPE(object), self->flock, self->client_uid, (unsigned long)self->lk_flags);
}

static PyMethodDef lock_methods[] = {
    {"__reduce__", lock_reduce, METH_NOARGS, "For copy and pickle."},
    {0},
};

static PyGetSetDef lock_getset[] = {
    {"flock", lock_get_flock, NULL, "The lock itself: a Flock.", NULL},
    {"client_uid", lock_get_client_uid, NULL, "Identity of the client that holds it.", NULL},
    {"lk_flags", lock_get_lk_flags, NULL, "Flags of the lock.", NULL},
    {0},
};

static PyType_Slot lock_slots[] = {
    {Py_tp_doc, "LockEntry(flock, client_uid, lk_flags=0)\n--\n\nOne lock of a file and the client that holds it:\n"
                "lock_migration_info_t (glusterfs.h). The Flock is copied. Raises TypeError or OverflowError."},
    {Py_tp_new, lock_new},
    {Py_tp_dealloc, lock_dealloc},
    {Py_tp_repr, lock_repr},
    {Py_tp_richcompare, lock_compare},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_methods, lock_methods},
    {Py_tp_getset, lock_getset},
    {0, NULL},
};

static PyType_Spec lock_spec = {
    .name = "glupy._core.LockEntry",
    .basicsize = sizeof(struct glupy_lock_entry),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = lock_slots,
};

/* LockList. */

static lock_migration_info_t *
locklist_head(PyObject *self)
{
    return &((struct glupy_locklist *)self)->head;
}

static PyObject *
locklist_create(PyTypeObject *type)
{
    struct glupy_locklist *self = PyObject_New(struct glupy_locklist, type);
    if (self)
        entries_copy(&self->head, NULL);
    return (PyObject *)self;
}

static PyObject *
locklist_copy(struct glupy_state *state, const lock_migration_info_t *source)
{
    PyObject *self = locklist_create(state->locklist_type);
    if (!self || entries_copy(locklist_head(self), source) == 0)
        return self;
    Py_DECREF(self);
    return PyErr_NoMemory();
}

static int
locklist_append(struct glupy_state *state, PyObject *self, PyObject *item)
{
    if (!Py_IS_TYPE(item, state->lock_entry_type)) {
        PyErr_Format(PyExc_TypeError, "expected LockEntry, not %.100s", Py_TYPE(item)->tp_name);
        return -1;
    }
    const struct glupy_lock_entry *lock = (struct glupy_lock_entry *)item;
    PyObject *uid = glupy_text_bytes(lock->client_uid);
    if (!uid)
        return -1;
    const struct gf_flock *flock = glupy_record_data(lock->flock);
    bool done = entries_append(locklist_head(self), flock, PyBytes_AS_STRING(uid), lock->lk_flags);
    Py_DECREF(uid);
    if (!done)
        PyErr_NoMemory();
    return done ? 0 : -1;
}

/* A LockList of an iterable's entries. */
static PyObject *
locklist_build(PyTypeObject *type, PyObject *iterable)
{
    PyObject *items = PySequence_Fast(iterable, "expected an iterable of LockEntry");
    PyObject *self = items ? locklist_create(type) : NULL;
    for (Py_ssize_t i = 0; self && i < PySequence_Fast_GET_SIZE(items); i++)
        if (locklist_append(glupy_state_of_type(type), self, PySequence_Fast_GET_ITEM(items, i)))
            Py_CLEAR(self);
    Py_XDECREF(items);
    return self;
}

static PyObject *
locklist_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"", NULL};
    PyObject *iterable = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:LockList", keywords, &iterable))
        return NULL;
    return iterable ? locklist_build(type, iterable) : locklist_create(type);
}

static void
locklist_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    entries_drop(locklist_head(self));
    PyObject_Free(self);
    Py_DECREF(type);
}

static Py_ssize_t
locklist_length(PyObject *self)
{
    Py_ssize_t length = 0;
    const lock_migration_info_t *entry;
    list_for_each_entry(entry, &locklist_head(self)->list, list)
    {
        length++;
    }
    return length;
}

/* A tuple of its entries: what iteration, indexing, comparison and repr work on. */
static PyObject *
locklist_locks(PyObject *self)
{
    PyObject *locks = PyTuple_New(locklist_length(self));
    const lock_migration_info_t *entry = locklist_head(self);
    for (Py_ssize_t i = 0; locks && i < PyTuple_GET_SIZE(locks); i++) {
        entry = list_entry(entry->list.next, lock_migration_info_t, list);
        PyObject *lock = lock_of_entry(glupy_state_of(self), entry);
        if (lock)
            PyTuple_SET_ITEM(locks, i, lock);
        else
            Py_CLEAR(locks);
    }
    return locks;
}

static PyObject *
locklist_iter(PyObject *self)
{
    PyObject *locks = locklist_locks(self);
    PyObject *iterator = locks ? PyObject_GetIter(locks) : NULL;
    Py_XDECREF(locks);
    return iterator;
}

static PyObject *
locklist_item(PyObject *self, Py_ssize_t index)
{
    PyObject *locks = locklist_locks(self);
    PyObject *lock = locks ? PySequence_GetItem(locks, index) : NULL;
    Py_XDECREF(locks);
    return lock;
}

static PyObject *
locklist_subscript(PyObject *self, PyObject *key)
{
    PyObject *locks = locklist_locks(self);
    PyObject *result = locks ? PyObject_GetItem(locks, key) : NULL;
    Py_XDECREF(locks);
    return result;
}

static PyObject *
locklist_repr(PyObject *self)
{
    PyObject *locks = locklist_locks(self);
    PyObject *list = locks ? PySequence_List(locks) : NULL;
    PyObject *text = list ? PyUnicode_FromFormat("LockList(%R)", list) : NULL;
    Py_XDECREF(list);
    Py_XDECREF(locks);
    return text;
}

static PyObject *
locklist_compare(PyObject *self, PyObject *other, int op)
{
    if (Py_TYPE(self) != Py_TYPE(other) || (op != Py_EQ && op != Py_NE))
        Py_RETURN_NOTIMPLEMENTED;
    PyObject *mine = locklist_locks(self);
    PyObject *theirs = mine ? locklist_locks(other) : NULL;
    PyObject *result = theirs ? PyObject_RichCompare(mine, theirs, op) : NULL;
    Py_XDECREF(mine);
    Py_XDECREF(theirs);
    return result;
}

static PyObject *
locklist_reduce(PyObject *self, PyObject *unused)
{
    PyObject *locks = locklist_locks(self);
    return locks ? Py_BuildValue("O(N)", Py_TYPE(self), locks) : NULL;
}

static PyMethodDef locklist_methods[] = {
    {"__reduce__", locklist_reduce, METH_NOARGS, "For copy and pickle."},
    {0},
};

static PyType_Slot locklist_slots[] = {
    {Py_tp_doc, "LockList(locks=(), /)\n--\n\nThe locks of a file: a list of lock_migration_info_t (glusterfs.h).\n\n"
                "An immutable sequence, made of any iterable of LockEntry; indexing and iterating give new ones.\nRaises "
                "TypeError, or ValueError for a NUL in a client_uid."},
    {Py_tp_new, locklist_new},
    {Py_tp_dealloc, locklist_dealloc},
    {Py_tp_repr, locklist_repr},
    {Py_tp_richcompare, locklist_compare},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_iter, locklist_iter},
    {Py_sq_length, locklist_length},
    {Py_sq_item, locklist_item},
    {Py_mp_length, locklist_length},
    {Py_mp_subscript, locklist_subscript},
    {Py_tp_methods, locklist_methods},
    {0, NULL},
};

static PyType_Spec locklist_spec = {
    .name = "glupy._core.LockList",
    .basicsize = sizeof(struct glupy_locklist),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = locklist_slots,
};

/* The kind: objects never borrow. */

static PyObject *
locklist_wrap(struct glupy_state *state, struct glupy_instance *owner, const void *passed)
{
    const lock_migration_info_t *source = *(lock_migration_info_t *const *)passed;
    if (!source)
        Py_RETURN_NONE;
    return locklist_copy(state, source);
}

static PyObject *
locklist_convert(struct glupy_state *state, PyObject *value)
{
    if (Py_IsNone(value) || Py_IS_TYPE(value, state->locklist_type))
        return Py_NewRef(value);
    if (PyList_Check(value) || PyTuple_Check(value))
        return locklist_build(state->locklist_type, value);
    return PyErr_Format(PyExc_TypeError, "expected LockList, not %.100s", Py_TYPE(value)->tp_name);
}

static void
locklist_pass(PyObject *object, void *passed)
{
    *(lock_migration_info_t **)passed = Py_IsNone(object) ? NULL : locklist_head(object);
}

static int
locklist_hold(void *held, const void *passed)
{
    return entries_copy(held, *(lock_migration_info_t *const *)passed);
}

static void
locklist_lend(void *held, void *passed)
{
    *(lock_migration_info_t **)passed = held;
}

static void
locklist_drop(void *held)
{
    entries_drop(held);
}

/* A list head's neighbours point to it. */
static void
locklist_move(void *to, void *from)
{
    lock_migration_info_t *target = to, *source = from;

    memset(target, 0, sizeof(*target));
    INIT_LIST_HEAD(&target->list);
    if (entries_exist(source))
        list_splice_init(&source->list, &target->list);
}

static PyObject *
locklist_adopt(struct glupy_state *state, void *held)
{
    lock_migration_info_t *head = held;
    PyObject *self = locklist_create(state->locklist_type);
    if (self && entries_exist(head))
        list_splice_init(&head->list, &locklist_head(self)->list);
    return self;
}

static int
locklist_take(PyObject *object, void *held)
{
    if (entries_copy(held, Py_IsNone(object) ? NULL : locklist_head(object)) == 0)
        return 0;
    PyErr_NoMemory();
    return -1;
}

const struct glupy_kind glupy_kind_locklist = {
    .name = "LockList",
    .passed_size = sizeof(lock_migration_info_t *),
    .held_size = sizeof(lock_migration_info_t),
    .form = GLUPY_LIST,
    .wrap = locklist_wrap,
    .own = NULL,
    .convert = locklist_convert,
    .fit = glupy_fit_not_none,
    .pass = locklist_pass,
    .hold = locklist_hold,
    .lend = locklist_lend,
    .drop = locklist_drop,
    .move = locklist_move,
    .discard = locklist_drop, /* memory alone: no references */
    .adopt = locklist_adopt,
    .take = locklist_take,
};

int
glupy_locklist_setup(struct glupy_state *state)
{
    if (glupy_add_type(state, &lock_spec, &state->lock_entry_type))
        return -1;
    return glupy_add_type(state, &locklist_spec, &state->locklist_type);
}
