/* Cache. See cache.h.
 *
 * A dict leads from keys to entries, and a list has the entries by use. The interpreter's lock guards both; but looking up a
 * key may run an author's __eq__ or __hash__, which may use this very cache, and dropping a value any code. So an entry is
 * looked at anew after each lookup, the list is put right before anything is dropped, and an entry that the dict lost leaves
 * the list by itself. */
#include "tools/cache.h"

#include <structmember.h>

#include "base/compat.h"
#include "python/clock.h"

#define NANOSECONDS 1e9
#define FOREVER UINT64_MAX

struct cache {
    PyObject_HEAD
    PyObject *entries;       /* a dict: key -> struct entry */
    struct list_head by_use; /* of entries, borrowed; the one used last at the head */
    Py_ssize_t count;        /* of those in the list */
    Py_ssize_t limit;
    uint64_t timeout; /* nanoseconds, or FOREVER */
    unsigned long long hits, misses, evicted;
};

struct entry {
    PyObject_HEAD
    struct cache *cache; /* borrowed; NULL: in no list any more, as if it were not there */
    struct list_head link;
    PyObject *key, *value;
    uint64_t until;
};

static uint64_t
now(void)
{
    return glupy_timers()->now();
}

static uint64_t
end_of(uint64_t timeout)
{
    return timeout == FOREVER ? FOREVER : now() + timeout;
}

/* The list */

static void
unlink_entry(struct entry *entry)
{
    if (!entry->cache)
        return;
    list_del(&entry->link);
    entry->cache->count--;
    entry->cache = NULL;
}

static void
used_now(struct entry *entry)
{
    struct list_head *by_use = &entry->cache->by_use;

    if (by_use->next == &entry->link)
        return;
    list_del(&entry->link);
    list_add(&entry->link, by_use);
}

/* Entries */

static struct entry *
entry_new(struct cache *cache, PyObject *key, PyObject *value, uint64_t until)
{
    PyTypeObject *type = glupy_state_of((PyObject *)cache)->cache_entry_type;
    struct entry *self = (struct entry *)type->tp_alloc(type, 0);

    if (!self)
        return NULL;
    self->key = Py_NewRef(key);
    self->value = Py_NewRef(value);
    self->until = until;
    return self;
}

static int
entry_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct entry *self = (struct entry *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->key);
    Py_VISIT(self->value);
    return 0;
}

/* Without a tp_clear: a cycle leads through the dict, which has one. */
static void
entry_dealloc(PyObject *object)
{
    struct entry *self = (struct entry *)object;
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    Py_TRASHCAN_BEGIN(object, entry_dealloc)
    unlink_entry(self);
    Py_XDECREF(self->key);
    Py_XDECREF(self->value);
    type->tp_free(object);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

static PyType_Slot entry_slots[] = {
    {Py_tp_doc, "An entry of a Cache."},
    {Py_tp_dealloc, entry_dealloc},
    {Py_tp_traverse, entry_traverse},
    {0, NULL},
};

static PyType_Spec entry_spec = {
    .name = "glupy._core.CacheEntry",
    .basicsize = sizeof(struct entry),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC,
    .slots = entry_slots,
};

/* Finding */

/* Out of the list and out of the dict, if it is still there. Takes over a reference to it. */
static int
drop(struct cache *self, struct entry *entry)
{
    PyObject *there;
    int done = 0;

    unlink_entry(entry);
    there = PyDict_GetItemWithError(self->entries, entry->key);
    if (there == (PyObject *)entry)
        done = PyDict_DelItem(self->entries, entry->key);
    else if (!there && PyErr_Occurred())
        done = -1;
    Py_DECREF(entry);
    return done;
}

/* A reference to the entry that is in force for a key; NULL without an exception where there is none. One that is over is
 * dropped. */
static struct entry *
find(struct cache *self, PyObject *key)
{
    struct entry *entry = (struct entry *)PyDict_GetItemWithError(self->entries, key);

    if (!entry || !entry->cache)
        return NULL;
    Py_INCREF(entry);
    if (entry->until == FOREVER || entry->until > now())
        return entry;
    drop(self, entry);
    return NULL;
}

/* The same, and the question counts. */
static struct entry *
find_counted(struct cache *self, PyObject *key)
{
    struct entry *entry = find(self, key);

    if (entry) {
        self->hits++;
        used_now(entry);
    } else if (!PyErr_Occurred()) {
        self->misses++;
    }
    return entry;
}

static PyObject *
value_of(struct entry *entry)
{
    PyObject *value = Py_NewRef(entry->value);

    Py_DECREF(entry);
    return value;
}

/* Putting in */

static int
shrink(struct cache *self)
{
    while (self->count > self->limit) {
        struct entry *last = list_entry(self->by_use.prev, struct entry, link);

        self->evicted++;
        if (drop(self, (struct entry *)Py_NewRef(last)) != 0)
            return -1;
    }
    return 0;
}

static int
put_new(struct cache *self, PyObject *key, PyObject *value, uint64_t until)
{
    struct entry *entry = entry_new(self, key, value, until);
    int done = entry ? PyDict_SetItem(self->entries, key, (PyObject *)entry) : -1;

    if (done == 0) {
        entry->cache = self;
        list_add(&entry->link, &self->by_use);
        self->count++;
        done = shrink(self);
    }
    Py_XDECREF(entry);
    return done;
}

static int
put(struct cache *self, PyObject *key, PyObject *value, uint64_t timeout)
{
    uint64_t until = end_of(timeout);
    struct entry *entry = find(self, key);
    PyObject *old;

    if (!entry)
        return PyErr_Occurred() ? -1 : put_new(self, key, value, until);
    old = entry->value;
    entry->value = Py_NewRef(value);
    entry->until = until;
    used_now(entry);
    Py_DECREF(entry);
    Py_DECREF(old);
    return 0;
}

/* From Python */

/* Seconds, or None for ever: 0, or -1 with TypeError or ValueError. */
static int
read_timeout(PyObject *value, uint64_t *timeout)
{
    double seconds;

    *timeout = FOREVER;
    if (!value || value == Py_None)
        return 0;
    seconds = PyFloat_AsDouble(value);
    if (seconds == -1 && PyErr_Occurred()) {
        PyErr_Format(PyExc_TypeError, "timeout: expected seconds or None, not %R", value);
        return -1;
    }
    if (!(seconds > 0) || seconds > 1e9) {
        PyErr_Format(PyExc_ValueError, "timeout: expected more than 0 and at most 1e9 seconds, or None, not %R", value);
        return -1;
    }
    *timeout = (uint64_t)(seconds * NANOSECONDS);
    return 0;
}

static int
read_limit(PyObject *value, Py_ssize_t *limit)
{
    Py_ssize_t number;

    if (!value || !PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError, "limit: expected how many entries are kept, not %R", value ? value : Py_None);
        return -1;
    }
    number = PyLong_AsSsize_t(value);
    if (number < 1) {
        PyErr_Clear();
        PyErr_Format(PyExc_ValueError, "limit: expected 1 or more entries, not %R", value);
        return -1;
    }
    *limit = number;
    return 0;
}

static PyObject *
cache_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"limit", "timeout", NULL};
    PyObject *limit, *timeout = NULL;
    struct cache *self;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:Cache", names, &limit, &timeout))
        return NULL;
    self = (struct cache *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    INIT_LIST_HEAD(&self->by_use);
    self->entries = PyDict_New();
    if (self->entries && read_limit(limit, &self->limit) == 0 && read_timeout(timeout, &self->timeout) == 0)
        return (PyObject *)self;
    Py_DECREF(self);
    return NULL;
}

/* get() and pop(): a key, and what is given in its stead. */
static int
check_count(const char *name, Py_ssize_t nargs)
{
    if (nargs == 1 || nargs == 2)
        return 0;
    PyErr_Format(PyExc_TypeError, "%s() takes a key, and a default if need be", name);
    return -1;
}

static PyObject *
default_of(PyObject *const *args, Py_ssize_t nargs)
{
    return PyErr_Occurred() ? NULL : Py_NewRef(nargs == 2 ? args[1] : Py_None);
}

static PyObject *
cache_get(PyObject *object, PyObject *const *args, Py_ssize_t nargs)
{
    struct entry *entry;

    if (check_count("get", nargs) != 0)
        return NULL;
    entry = find_counted((struct cache *)object, args[0]);
    return entry ? value_of(entry) : default_of(args, nargs);
}

static PyObject *
cache_pop(PyObject *object, PyObject *const *args, Py_ssize_t nargs)
{
    struct cache *self = (struct cache *)object;
    struct entry *entry;
    PyObject *value;

    if (check_count("pop", nargs) != 0)
        return NULL;
    entry = find(self, args[0]);
    if (!entry)
        return default_of(args, nargs);
    value = Py_NewRef(entry->value);
    if (drop(self, entry) != 0)
        Py_CLEAR(value);
    return value;
}

static PyObject *
cache_set(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"", "", "timeout", NULL};
    struct cache *self = (struct cache *)object;
    PyObject *key, *value, *timeout = NULL;
    uint64_t nanoseconds = self->timeout;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|$O:set", names, &key, &value, &timeout) ||
        (timeout && read_timeout(timeout, &nanoseconds) != 0) || put(self, key, value, nanoseconds) != 0)
        return NULL;
    Py_RETURN_NONE;
}

static void
empty(struct cache *self)
{
    while (!list_empty(&self->by_use))
        unlink_entry(list_entry(self->by_use.next, struct entry, link));
    if (self->entries)
        PyDict_Clear(self->entries);
}

static PyObject *
cache_clear_method(PyObject *self, PyObject *unused)
{
    (void)unused;
    empty((struct cache *)self);
    Py_RETURN_NONE;
}

static int
cache_contains(PyObject *self, PyObject *key)
{
    struct entry *entry = find((struct cache *)self, key);

    Py_XDECREF(entry);
    return entry ? 1 : PyErr_Occurred() ? -1 : 0;
}

static PyObject *
cache_subscript(PyObject *self, PyObject *key)
{
    struct entry *entry = find_counted((struct cache *)self, key);

    if (entry)
        return value_of(entry);
    if (!PyErr_Occurred())
        PyErr_SetObject(PyExc_KeyError, key);
    return NULL;
}

static int
cache_assign(PyObject *object, PyObject *key, PyObject *value)
{
    struct cache *self = (struct cache *)object;
    struct entry *entry;

    if (value)
        return put(self, key, value, self->timeout);
    entry = find(self, key);
    if (entry)
        return drop(self, entry);
    if (!PyErr_Occurred())
        PyErr_SetObject(PyExc_KeyError, key);
    return -1;
}

static Py_ssize_t
cache_length(PyObject *self)
{
    return ((struct cache *)self)->count;
}

static PyObject *
cache_get_limit(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromSsize_t(((struct cache *)self)->limit);
}

static int
cache_set_limit(PyObject *object, PyObject *value, void *closure)
{
    struct cache *self = (struct cache *)object;

    (void)closure;
    return read_limit(value, &self->limit) == 0 ? shrink(self) : -1;
}

static PyObject *
cache_get_timeout(PyObject *object, void *closure)
{
    uint64_t timeout = ((struct cache *)object)->timeout;

    (void)closure;
    return timeout == FOREVER ? Py_NewRef(Py_None) : PyFloat_FromDouble((double)timeout / NANOSECONDS);
}

static int
cache_set_timeout(PyObject *object, PyObject *value, void *closure)
{
    (void)closure;
    return read_timeout(value, &((struct cache *)object)->timeout);
}

static PyObject *
cache_repr(PyObject *object)
{
    struct cache *self = (struct cache *)object;

    return PyUnicode_FromFormat("<Cache of %zd entries, at most %zd>", self->count, self->limit);
}

static int
cache_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(((struct cache *)object)->entries);
    return 0;
}

static int
cache_tp_clear(PyObject *object)
{
    empty((struct cache *)object);
    return 0;
}

static void
cache_dealloc(PyObject *object)
{
    struct cache *self = (struct cache *)object;
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    Py_TRASHCAN_BEGIN(object, cache_dealloc)
    if (self->entries)
        empty(self);
    Py_XDECREF(self->entries);
    type->tp_free(object);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

static PyMethodDef cache_methods[] = {
    {"get", _PyCFunction_CAST(cache_get), METH_FASTCALL,
     "get($self, key, default=None, /)\n--\n\nThe value of a key, which is the one used last then; default where there is none."},
    {"set", _PyCFunction_CAST(cache_set), METH_VARARGS | METH_KEYWORDS,
     "set($self, key, value, /, timeout=...)\n--\n\n"
     "Keep a value, for so many seconds (None: until it is dropped) or for as long as the cache says. TypeError, ValueError."},
    {"pop", _PyCFunction_CAST(cache_pop), METH_FASTCALL,
     "pop($self, key, default=None, /)\n--\n\nTake a value out and give it; default where there is none."},
    {"clear", cache_clear_method, METH_NOARGS, "clear($self, /)\n--\n\nDrop all."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef cache_members[] = {
    {"hits", T_ULONGLONG, offsetof(struct cache, hits), READONLY, "How often get() or [] found a value."},
    {"misses", T_ULONGLONG, offsetof(struct cache, misses), READONLY, "How often they found none."},
    {"evicted", T_ULONGLONG, offsetof(struct cache, evicted), READONLY, "How many made room for others."},
    {0},
};

static PyGetSetDef cache_getset[] = {
    {"limit", cache_get_limit, cache_set_limit, "Most entries that are kept; those that are too many go at once.", NULL},
    {"timeout", cache_get_timeout, cache_set_timeout,
     "Seconds that an entry is in force, None for ever; of those that are put in from now on.", NULL},
    {0},
};

static PyType_Slot cache_slots[] = {
    {Py_tp_doc,
     "Cache(limit, timeout=None)\n--\n\n"
     "Values by key: at most `limit`, the one not asked for longest goes first, each for `timeout` seconds at most. Like a\n"
     "dict, from any thread; each call is one step. len() counts what is kept, also what is over and was not asked for since."},
    {Py_tp_new, cache_tp_new},
    {Py_tp_dealloc, cache_dealloc},
    {Py_tp_traverse, cache_traverse},
    {Py_tp_clear, cache_tp_clear},
    {Py_tp_repr, cache_repr},
    {Py_tp_methods, cache_methods},
    {Py_tp_members, cache_members},
    {Py_tp_getset, cache_getset},
    {Py_sq_contains, cache_contains},
    {Py_mp_subscript, cache_subscript},
    {Py_mp_ass_subscript, cache_assign},
    {Py_mp_length, cache_length},
    {0, NULL},
};

static PyType_Spec cache_spec = {
    .name = "glupy._core.Cache",
    .basicsize = sizeof(struct cache),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = cache_slots,
};

int
glupy_cache_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &entry_spec, &state->cache_entry_type) == 0
               ? glupy_add_type(state, &cache_spec, &state->cache_type)
               : -1;
}
