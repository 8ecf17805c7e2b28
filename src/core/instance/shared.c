/* What interpreters have in common. See shared.h. */
#include "instance/shared.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/compat.h"

/* Never changed once it is in a table, so that it can be copied from without the mutex. */
struct value {
    atomic_uint owners;
    size_t size;
    char bytes[];
};

struct entry {
    struct entry *next; /* in its bucket */
    struct value *value;
    size_t hash, length;
    char name[];
};

struct space {
    struct space *next;
    struct entry **buckets;
    size_t nbuckets, count; /* nbuckets: a power of two */
    size_t length;
    char name[];
};

struct text {
    const char *text;
    Py_ssize_t length;
};

static struct {
    pthread_mutex_t lock;
    struct space *spaces; /* few: one for each translator that uses it */
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* A process that is forked finds it unlocked, whatever other threads were at. */

static void
lock(void)
{
    pthread_mutex_lock(&shared.lock);
}

static void
unlock(void)
{
    pthread_mutex_unlock(&shared.lock);
}

__attribute__((constructor)) static void
mind_forks(void)
{
    pthread_atfork(lock, unlock, unlock);
}

#define FIRST_BUCKETS 16

static struct value *
value_new(const char *bytes, size_t size)
{
    struct value *value = malloc(sizeof(*value) + size);

    if (!value)
        return NULL;
    atomic_init(&value->owners, 1);
    value->size = size;
    memcpy(value->bytes, bytes, size);
    return value;
}

static void
value_drop(struct value *value)
{
    if (value && atomic_fetch_sub(&value->owners, 1) == 1)
        free(value);
}

/* FNV-1a. */
static size_t
hash_of(struct text name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (Py_ssize_t i = 0; i < name.length; i++)
        hash = (hash ^ (unsigned char)name.text[i]) * UINT64_C(0x100000001b3);
    return (size_t)(hash ^ hash >> 32);
}

/* With the mutex held */

static bool
is(const char *name, size_t length, struct text text)
{
    return length == (size_t)text.length && memcmp(name, text.text, length) == 0;
}

static struct space *
find_space(struct text name)
{
    struct space *space = shared.spaces;

    while (space && !is(space->name, space->length, name))
        space = space->next;
    return space;
}

static struct space *
make_space(struct text name)
{
    struct space *space = malloc(sizeof(*space) + (size_t)name.length);

    if (!space)
        return NULL;
    *space = (struct space){.next = shared.spaces, .nbuckets = FIRST_BUCKETS, .length = (size_t)name.length};
    memcpy(space->name, name.text, space->length);
    space->buckets = calloc(space->nbuckets, sizeof(*space->buckets));
    if (!space->buckets) {
        free(space);
        return NULL;
    }
    return shared.spaces = space;
}

/* Where the entry stands or would stand. */
static struct entry **
find(struct space *space, struct text name, size_t hash)
{
    struct entry **at = &space->buckets[hash & (space->nbuckets - 1)];

    while (*at && ((*at)->hash != hash || !is((*at)->name, (*at)->length, name)))
        at = &(*at)->next;
    return at;
}

/* Without memory it stays as it is, and gets slower. */
static void
grow(struct space *space)
{
    size_t more = 2 * space->nbuckets;
    struct entry **buckets = calloc(more, sizeof(*buckets));

    for (size_t i = 0; buckets && i < space->nbuckets; i++) {
        struct entry *next;

        for (struct entry *entry = space->buckets[i]; entry; entry = next) {
            next = entry->next;
            entry->next = buckets[entry->hash & (more - 1)];
            buckets[entry->hash & (more - 1)] = entry;
        }
    }
    if (!buckets)
        return;
    free(space->buckets);
    space->buckets = buckets;
    space->nbuckets = more;
}

static struct value *
take_out(struct space *space, struct entry **at)
{
    struct entry *entry = *at;
    struct value *value = entry->value;

    *at = entry->next;
    free(entry);
    space->count--;
    return value;
}

static bool
add(struct space *space, struct entry **at, struct text name, size_t hash, struct value *value)
{
    struct entry *entry = malloc(sizeof(*entry) + (size_t)name.length);

    if (!entry)
        return false;
    *entry = (struct entry){.value = value, .hash = hash, .length = (size_t)name.length};
    memcpy(entry->name, name.text, entry->length);
    *at = entry;
    if (++space->count > space->nbuckets)
        grow(space);
    return true;
}

static bool
equals(const struct entry *entry, const char *bytes, Py_ssize_t size)
{
    if (!bytes || !entry)
        return !bytes && !entry;
    return is(entry->value->bytes, entry->value->size, (struct text){bytes, size});
}

/* What is to be put in place of what. */
struct change {
    struct text space, name;
    bool whatever;   /* is there */
    const char *old; /* NULL: nothing */
    Py_ssize_t old_size;
    struct value *fresh; /* NULL: nothing */
};

enum outcome { SWAPPED, DIFFERS, NO_MEMORY };

/* `*dropped` is for the caller to drop once the mutex is free. */
static enum outcome
change(const struct change *change, struct value **dropped)
{
    size_t hash = hash_of(change->name);
    struct space *space = find_space(change->space);
    struct entry **at;

    if (!space && !change->fresh)
        return change->whatever || !change->old ? SWAPPED : DIFFERS;
    if (!space && !(space = make_space(change->space)))
        return NO_MEMORY;
    at = find(space, change->name, hash);
    if (!change->whatever && !equals(*at, change->old, change->old_size))
        return DIFFERS;
    if (!*at)
        return !change->fresh || add(space, at, change->name, hash, change->fresh) ? SWAPPED : NO_MEMORY;
    if (change->fresh) {
        *dropped = (*at)->value;
        (*at)->value = change->fresh;
    } else {
        *dropped = take_out(space, at);
    }
    return SWAPPED;
}

/* Python's side */

/* None is NULL. */
static int
bytes_or_none(PyObject *object, const char **bytes, Py_ssize_t *size)
{
    *bytes = NULL;
    *size = 0;
    if (object == Py_None)
        return 0;
    if (!PyBytes_Check(object)) {
        PyErr_Format(PyExc_TypeError, "expected bytes or None, not %s", Py_TYPE(object)->tp_name);
        return -1;
    }
    *bytes = PyBytes_AS_STRING(object);
    *size = PyBytes_GET_SIZE(object);
    return 0;
}

PyObject *
glupy_shared_swap_method(PyObject *module, PyObject *args)
{
    struct change wanted = {.whatever = false};
    PyObject *old, *new;
    const char *bytes;
    Py_ssize_t size;
    struct value *dropped = NULL;
    enum outcome outcome;

    (void)module;
    if (!PyArg_ParseTuple(args, "s#s#OO:_shared_swap", &wanted.space.text, &wanted.space.length, &wanted.name.text,
                          &wanted.name.length, &old, &new))
        return NULL;
    wanted.whatever = old == Py_Ellipsis;
    if ((!wanted.whatever && bytes_or_none(old, &wanted.old, &wanted.old_size) != 0) ||
        bytes_or_none(new, &bytes, &size) != 0)
        return NULL;
    if (bytes && !(wanted.fresh = value_new(bytes, (size_t)size)))
        return PyErr_NoMemory();
    pthread_mutex_lock(&shared.lock);
    outcome = change(&wanted, &dropped);
    pthread_mutex_unlock(&shared.lock);
    value_drop(dropped);
    if (outcome != SWAPPED)
        value_drop(wanted.fresh);
    return outcome == NO_MEMORY ? PyErr_NoMemory() : PyBool_FromLong(outcome == SWAPPED);
}

PyObject *
glupy_shared_get_method(PyObject *module, PyObject *args)
{
    struct text space_name, name;
    struct value *value = NULL;
    struct space *space;
    struct entry *entry;
    PyObject *bytes;

    (void)module;
    if (!PyArg_ParseTuple(args, "s#s#:_shared_get", &space_name.text, &space_name.length, &name.text, &name.length))
        return NULL;
    pthread_mutex_lock(&shared.lock);
    space = find_space(space_name);
    entry = space ? *find(space, name, hash_of(name)) : NULL;
    if (entry) {
        value = entry->value;
        atomic_fetch_add(&value->owners, 1);
    }
    pthread_mutex_unlock(&shared.lock);
    if (!value)
        Py_RETURN_NONE;
    bytes = PyBytes_FromStringAndSize(value->bytes, (Py_ssize_t)value->size);
    value_drop(value);
    return bytes;
}

/* With the mutex held: all names, each with its length before it; NULL without memory. */
static char *
copy_names(const struct space *space)
{
    size_t room = 1;
    char *names, *at;

    for (size_t i = 0; i < space->nbuckets; i++)
        for (struct entry *entry = space->buckets[i]; entry; entry = entry->next)
            room += sizeof(entry->length) + entry->length;
    names = at = malloc(room);
    for (size_t i = 0; names && i < space->nbuckets; i++) {
        for (struct entry *entry = space->buckets[i]; entry; entry = entry->next) {
            memcpy(at, &entry->length, sizeof(entry->length));
            at += sizeof(entry->length);
            memcpy(at, entry->name, entry->length);
            at += entry->length;
        }
    }
    return names;
}

static PyObject *
list_of(const char *at, size_t count)
{
    PyObject *list = PyList_New((Py_ssize_t)count);

    for (size_t i = 0; list && i < count; i++) {
        PyObject *name;
        size_t length;

        memcpy(&length, at, sizeof(length));
        at += sizeof(length);
        name = PyUnicode_DecodeUTF8(at, (Py_ssize_t)length, NULL);
        at += length;
        if (name)
            PyList_SET_ITEM(list, (Py_ssize_t)i, name);
        else
            Py_CLEAR(list);
    }
    return list;
}

PyObject *
glupy_shared_keys_method(PyObject *module, PyObject *name)
{
    struct text text;
    struct space *space;
    char *names = NULL;
    size_t count = 0;
    PyObject *list;

    (void)module;
    text.text = PyUnicode_AsUTF8AndSize(name, &text.length);
    if (!text.text)
        return NULL;
    pthread_mutex_lock(&shared.lock);
    space = find_space(text);
    if (space && space->count) {
        names = copy_names(space);
        count = space->count;
    }
    pthread_mutex_unlock(&shared.lock);
    if (count && !names)
        return PyErr_NoMemory();
    list = list_of(names, count);
    free(names);
    return list;
}

void
glupy_shared_drop(const char *name)
{
    struct text text = {name, (Py_ssize_t)strlen(name)};
    struct space **at = &shared.spaces, *space;

    pthread_mutex_lock(&shared.lock);
    while (*at && !is((*at)->name, (*at)->length, text))
        at = &(*at)->next;
    space = *at;
    if (space)
        *at = space->next;
    pthread_mutex_unlock(&shared.lock);
    for (size_t i = 0; space && i < space->nbuckets; i++)
        while (space->buckets[i])
            value_drop(take_out(space, &space->buckets[i]));
    if (space)
        free(space->buckets);
    free(space);
}
