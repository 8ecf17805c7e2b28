/* Reading what a script points to, and knowing GlusterFS's objects. See classic_known.h.
 *
 * What tells a live object: an inode is linked into the lists of an inode table of a graph that we are in; fds and dicts
 * stand behind the header of a memory pool's live element; an iobref behind that of GlusterFS's malloc, if it keeps
 * accounts, and leads to iobufs of the process's pool. */
#include "classic/classic_known.h"

#include <endian.h>
#include <sys/uio.h>

#include "base/compat.h"
#include "classic/classic_take.h"
#include "instance/context.h"
#include "values/drops.h"

/* No path, name, value or volfile that GlusterFS handles as a string comes near. */
#define LONGEST_TEXT (16u << 20)
#define MOST_IOBUFS (1 << 20)

bool
glupy_read(const void *from, void *to, size_t size)
{
    struct iovec local = {to, size}, remote = {(void *)from, size};

    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)size;
}

bool
glupy_can_read(void)
{
    char from = 1, to = 0;

    return glupy_read(&from, &to, 1) && to == 1;
}

bool
glupy_write(void *to, const void *from, size_t size)
{
    struct iovec local = {(void *)from, size}, remote = {to, size};

    return process_vm_writev(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)size;
}

/* As much as can be read from there on without entering another page. */
static size_t
to_page_end(const char *at)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return page - (uintptr_t)at % page;
}

char *
glupy_read_text(const char *from)
{
    char *text = NULL;
    size_t length = 0;

    while (length < LONGEST_TEXT) {
        size_t more = to_page_end(from + length);
        char *longer = realloc(text, length + more);

        if (!longer)
            break;
        text = longer;
        if (!glupy_read(from + length, text + length, more))
            break;
        if (memchr(text + length, '\0', more))
            return text;
        length += more;
    }
    free(text);
    return NULL;
}

/* Graphs. */

static bool
is_it(xlator_t *xlator, const void *it)
{
    return xlator == it;
}

static bool
has_table(xlator_t *xlator, const void *table)
{
    return xlator->itable == table;
}

/* Is there one for which `pick` holds, in the graph of a translator? */
static bool
in_graph_of(xlator_t *xlator, bool (*pick)(xlator_t *xlator, const void *what), const void *what)
{
    if (pick(xlator, what))
        return true;
    for (xlator_t *at = xlator->graph ? xlator->graph->first : NULL; at; at = at->next)
        if (pick(at, what))
            return true;
    return false;
}

/* In the graph of whoever the thread works for, or of any classic translator: scripts have threads of their own. */
static bool
in_a_graph(struct glupy_classic_state *state, bool (*pick)(xlator_t *xlator, const void *what), const void *what)
{
    struct glupy_classic *classic;

    if (!what || in_graph_of(THIS, pick, what))
        return what;
    list_for_each_entry(classic, &state->instances, link)
    {
        if (in_graph_of(classic->this, pick, what))
            return true;
    }
    return false;
}

static bool
is_xlator(struct glupy_classic_state *state, const void *xlator)
{
    return in_a_graph(state, is_it, xlator);
}

static bool
is_table(struct glupy_classic_state *state, const void *table)
{
    return in_a_graph(state, has_table, table);
}

/* Memory of GlusterFS's. */

static bool
is_pooled(const void *object, const struct mem_pool *pool)
{
    pooled_obj_hdr_t header;

    return glupy_read((const pooled_obj_hdr_t *)object - 1, &header, sizeof(header)) &&
           header.magic == GF_MEM_HEADER_MAGIC && header.pool == pool;
}

/* Without accounts, allocations have no header that would tell. */
static bool
keeps_accounts(void)
{
    return THIS->ctx && THIS->ctx->mem_acct_enable;
}

static bool
has_header(const void *memory, size_t size)
{
    struct mem_header header;
    uint32_t trailer;

    return glupy_read((const struct mem_header *)memory - 1, &header, sizeof(header)) &&
           header.magic == GF_MEM_HEADER_MAGIC && (!size || header.size == size) &&
           glupy_read((const char *)memory + header.size, &trailer, sizeof(trailer)) &&
           be32toh(trailer) == GF_MEM_TRAILER_MAGIC;
}

/* May it be an allocation of GlusterFS's, of this size, or of any? */
static bool
may_be_allocated(const void *memory, size_t size)
{
    return !keeps_accounts() || has_header(memory, size);
}

bool
glupy_is_allocated(const void *memory)
{
    return keeps_accounts() && has_header(memory, 0);
}

/* Objects. */

/* Under the table's lock. What has left its list is linked to itself. */
static bool
is_linked(const struct list_head *link)
{
    struct list_head here, next, prev;

    return glupy_read(link, &here, sizeof(here)) && here.next != link && glupy_read(here.next, &next, sizeof(next)) &&
           glupy_read(here.prev, &prev, sizeof(prev)) && next.prev == link && prev.next == link;
}

bool
glupy_is_inode(struct glupy_classic_state *state, const void *inode)
{
    inode_table_t *table;
    inode_t seen;
    bool alive;

    if (!glupy_read(inode, &seen, sizeof(seen)) || !is_table(state, seen.table))
        return false;
    table = seen.table;
    pthread_mutex_lock(&table->lock);
    /* One that is about to be purged is in a list still, but nobody's. */
    alive = glupy_read(inode, &seen, sizeof(seen)) && seen.table == table &&
            (seen.ref > 0 || seen.in_lru_list || seen.in_invalidate_list) &&
            is_linked(&((const inode_t *)inode)->list);
    pthread_mutex_unlock(&table->lock);
    return alive;
}

bool
glupy_is_fd(struct glupy_classic_state *state, const void *fd)
{
    fd_t seen;

    return glupy_read(fd, &seen, sizeof(seen)) && glupy_is_inode(state, seen.inode) &&
           is_pooled(fd, seen.inode->table->fd_mem_pool) && GF_ATOMIC_GET(seen.refcount) > 0;
}

/* Each glfs_t of a program that uses libgfapi has a context of its own. */
static bool
has_dict(xlator_t *xlator, const void *dict)
{
    return xlator->ctx && is_pooled(dict, xlator->ctx->dict_pool);
}

bool
glupy_is_dict(struct glupy_classic_state *state, const void *dict)
{
    dict_t seen;

    return glupy_read(dict, &seen, sizeof(seen)) && GF_ATOMIC_GET(seen.refcount) > 0 && in_a_graph(state, has_dict, dict);
}

static bool
has_iobuf_pool(xlator_t *xlator, const void *pool)
{
    return xlator->ctx && xlator->ctx->iobuf_pool == pool;
}

static bool
is_iobuf(struct glupy_classic_state *state, const void *iobuf)
{
    struct iobuf_arena arena;
    struct iobuf seen;

    if (!glupy_read(iobuf, &seen, sizeof(seen)) || GF_ATOMIC_GET(seen.ref) <= 0)
        return false;
    if (!seen.iobuf_arena)
        return may_be_allocated(iobuf, 0);
    return glupy_read(seen.iobuf_arena, &arena, sizeof(arena)) && in_a_graph(state, has_iobuf_pool, arena.iobuf_pool);
}

bool
glupy_is_iobref(struct glupy_classic_state *state, const void *iobref)
{
    struct iobref seen;

    if (!glupy_read(iobref, &seen, sizeof(seen)) || GF_ATOMIC_GET(seen.ref) <= 0 ||
        !may_be_allocated(iobref, sizeof(seen)) || seen.used < 0 || seen.used > seen.allocated || seen.used > MOST_IOBUFS)
        return false;
    for (int i = 0; i < seen.used; i++) {
        struct iobuf *iobuf;

        if (!glupy_read(&seen.iobrefs[i], &iobuf, sizeof(iobuf)) || !is_iobuf(state, iobuf))
            return false;
    }
    return true;
}

bool
glupy_iobref_keeps(const struct iobref *iobref, const struct iovec *piece)
{
    for (int i = 0; i < iobref->used; i++) {
        const char *memory = iobref->iobrefs[i]->ptr, *start = piece->iov_base;

        if (start >= memory && piece->iov_len <= iobref->iobrefs[i]->page_size &&
            start + piece->iov_len <= memory + iobref->iobrefs[i]->page_size)
            return true;
    }
    return false;
}

/* For gluster.glupy's utilities. */

static bool
is_iobuf_pool(struct glupy_classic_state *state, const void *pool)
{
    return in_a_graph(state, has_iobuf_pool, pool);
}

static bool
is_text(struct glupy_classic_state *state, const void *text)
{
    char *copy = glupy_read_text(text);

    (void)state;
    free(copy);
    return copy;
}

static bool
is_any_allocated(struct glupy_classic_state *state, const void *memory)
{
    char first;

    (void)state;
    return glupy_read(memory, &first, sizeof(first)) && may_be_allocated(memory, 0);
}

static struct glupy_classic_request *
running(void)
{
    struct glupy_thread *thread = glupy_thread_if_any();

    return thread && thread->stepping ? glupy_classic_request_of(thread->stepping) : NULL;
}

/* Its inodes and text can be followed. */
static bool
is_loc(struct glupy_classic_state *state, const void *loc)
{
    const struct glupy_classic_request *self = running();
    loc_t seen;

    if (!glupy_read(loc, &seen, sizeof(seen)))
        return false;
    for (unsigned i = 0; i < 2; i++) {
        const inode_t *inode = i ? seen.parent : seen.inode;

        if (inode && !(self && glupy_classic_is_own(self, &glupy_kind_inode, inode)) && !glupy_is_inode(state, inode))
            return false;
    }
    return (!seen.path || is_text(state, seen.path)) && (!seen.name || is_text(state, seen.name));
}

/* As the value of an argument or of a reply's field. */
static bool
was_given(const struct glupy_given *given, const void *value)
{
    for (unsigned i = 0; given && i < given->nfields; i++)
        if (glupy_passed_pointer(&given->fields[i], &given->shown) == value)
            return true;
    return false;
}

/* The script's to wipe: it was not given to it, and its path was allocated for it. */
static bool
is_own_loc(struct glupy_classic_state *state, const void *loc)
{
    const struct glupy_classic_request *self = running();
    loc_t seen;

    return !(self && was_given(self->args_given, loc)) && is_loc(state, loc) && glupy_read(loc, &seen, sizeof(seen)) &&
           (!seen.path || may_be_allocated(seen.path, 0));
}

static const struct known {
    const char *name;
    bool (*is)(struct glupy_classic_state *state, const void *address);
    const struct glupy_kind *kind; /* those of the request itself are known without looking */
} known[] = {
    {"inode_t", glupy_is_inode, &glupy_kind_inode},
    {"fd_t", glupy_is_fd, &glupy_kind_fd},
    {"dict_t", glupy_is_dict, &glupy_kind_dict},
    {"iobref_t", glupy_is_iobref, NULL},
    {"iobuf_t", is_iobuf, NULL},
    {"iobuf_pool", is_iobuf_pool, NULL},
    {"inode_table_t", is_table, NULL},
    {"xlator_t", is_xlator, NULL},
    {"loc_t", is_loc, NULL},
    {"own loc_t", is_own_loc, NULL},
    {"text", is_text, NULL},
    {"allocation", is_any_allocated, NULL},
};

static bool
is_known(struct glupy_classic_state *state, const struct known *what, const void *address)
{
    const struct glupy_classic_request *self = what->kind ? running() : NULL;

    return (self && glupy_classic_is_own(self, what->kind, address)) || what->is(state, address);
}

/* The script's own memory. */
static bool
is_memory(const void *address, size_t size)
{
    void *copy = malloc(size ? size : 1);
    bool readable = copy && glupy_read(address, copy, size);

    free(copy);
    return readable;
}

PyObject *
glupy_classic_known_method(PyObject *module, PyObject *args)
{
    struct glupy_classic_state *state = ((struct glupy_state *)PyModule_GetState(module))->classic;
    unsigned long long number;
    const void *address;
    const char *name;
    Py_ssize_t size;

    if (!PyArg_ParseTuple(args, "sKn:_classic_known", &name, &number, &size))
        return NULL;
    address = (void *)(uintptr_t)number;
    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(name, known[i].name) == 0)
            return PyBool_FromLong(is_known(state, &known[i], address));
    return PyBool_FromLong(is_memory(address, (size_t)size));
}

/* Entries of directories. */

/* Neighbours lead to it, or nothing is done: the script may have written into them. */
static void
unlink_entry(struct list_head *entry)
{
    struct list_head next, prev, alone = {entry, entry};

    if (!glupy_read(entry->next, &next, sizeof(next)) || !glupy_read(entry->prev, &prev, sizeof(prev)) ||
        next.prev != entry || prev.next != entry)
        return;
    if (glupy_write(&entry->next->prev, &entry->prev, sizeof(entry->prev)) &&
        glupy_write(&entry->prev->next, &entry->next, sizeof(entry->next)))
        *entry = alone;
}

static bool
may_be_freed(const void *memory)
{
    return may_be_allocated(memory, 0);
}

PyObject *
glupy_classic_free_dirent_method(PyObject *module, PyObject *address)
{
    const struct glupy_classic_request *self = running();
    gf_dirent_t *entry = PyLong_AsVoidPtr(address);

    (void)module;
    if (PyErr_Occurred())
        return NULL;
    if (self && self->reply_given && glupy_given_entry(self->reply_given, entry)) {
        unlink_entry(&entry->list);
        Py_RETURN_TRUE;
    }
    if (!is_any_allocated(NULL, entry))
        Py_RETURN_FALSE;
    unlink_entry(&entry->list);
    INIT_LIST_HEAD(&entry->list);
    glupy_drop_dirent(entry);
    Py_RETURN_TRUE;
}

PyObject *
glupy_classic_free_dirents_method(PyObject *module, PyObject *address)
{
    gf_dirent_t *head = PyLong_AsVoidPtr(address);

    (void)module;
    if (PyErr_Occurred())
        return NULL;
    return PyBool_FromLong(glupy_classic_free_dirents(running(), head, may_be_freed));
}

/* True, too, where one of them is none: that is refused when the parameter is looked at. */
PyObject *
glupy_classic_slot_method(PyObject *module, PyObject *args)
{
    struct glupy_classic_state *state = ((struct glupy_state *)PyModule_GetState(module))->classic;
    unsigned long long first, second;
    xlator_t *xlator;
    inode_t *inode;

    if (!PyArg_ParseTuple(args, "KK:_classic_slot", &first, &second))
        return NULL;
    inode = (void *)(uintptr_t)first;
    xlator = (void *)(uintptr_t)second;
    return PyBool_FromLong(!is_xlator(state, xlator) || !is_known(state, &known[0], inode) ||
                           glupy_context_has_slot(xlator, inode->table));
}
