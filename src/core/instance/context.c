/* Context of inodes and fds. See context.h. */
#include "instance/context.h"

#include <pthread.h>

#include "base/compat.h"
#include "instance/replicas.h"
#include "observe/log.h"
#include "values/types/types.h"

/* Whose context: one of inode and fd. */
struct bearer {
    struct glupy_instance *instance;
    inode_t *inode;
    fd_t *fd;
    inode_t *owned; /* a reference to be given up */
};

/* GlusterFS computes a slot's place from where the two stand in their graph, and does not look whether it is the same one. */
bool
glupy_context_has_slot(const xlator_t *this, const inode_table_t *table)
{
    int64_t place = this->xl_id;

#if GF_GLUSTER_SERIES >= 11
    if (this->level <= table->root_level)
        place = this->level;
    else if (this->xl_id > table->root_id)
        place = (int64_t)table->root_level + this->xl_id - table->root_id;
    else
        return false;
#endif
    return table->xl->graph == this->graph && place < table->ctxcount;
}

/* The slots themselves */

static struct glupy_context *
read_inode(xlator_t *this, inode_t *inode)
{
    uint64_t value = 0;

    return inode_ctx_get(inode, this, &value) == 0 ? (void *)(uintptr_t)value : NULL;
}

static struct glupy_context *
empty_inode(xlator_t *this, inode_t *inode)
{
    uint64_t value = 0;

    return inode_ctx_del(inode, this, &value) == 0 ? (void *)(uintptr_t)value : NULL;
}

#if GF_GLUSTER_SERIES >= 11
static struct glupy_context *
read_fd(xlator_t *this, fd_t *fd)
{
    return (void *)(uintptr_t)fd_ctx_get(fd, this);
}

static struct glupy_context *
empty_fd(xlator_t *this, fd_t *fd)
{
    return (void *)(uintptr_t)fd_ctx_del(fd, this);
}
#else
static struct glupy_context *
read_fd(xlator_t *this, fd_t *fd)
{
    uint64_t value = 0;

    return fd_ctx_get(fd, this, &value) == 0 ? (void *)(uintptr_t)value : NULL;
}

static struct glupy_context *
empty_fd(xlator_t *this, fd_t *fd)
{
    uint64_t value = 0;

    return fd_ctx_del(fd, this, &value) == 0 ? (void *)(uintptr_t)value : NULL;
}
#endif

/* Of replicas: each changes its own under its own interpreter's lock, but the chain is everybody's. Taken before any lock
 * of GlusterFS's, with or without the interpreter; nobody who has it waits for an interpreter. */
static pthread_mutex_t chains = PTHREAD_MUTEX_INITIALIZER;

static void
lock_chain(const struct glupy_instance *instance)
{
    if (instance->replicas.several)
        pthread_mutex_lock(&chains);
}

static void
unlock_chain(const struct glupy_instance *instance)
{
    if (instance->replicas.several)
        pthread_mutex_unlock(&chains);
}

static struct glupy_context *
in_chain(struct glupy_context *context, const struct glupy_instance *instance)
{
    while (context && context->instance != instance)
        context = context->other;
    return context;
}

static struct glupy_context *
of_inode(struct glupy_instance *instance, inode_t *inode)
{
    struct glupy_context *context;

    lock_chain(instance);
    context = instance->contexts.unchained ? NULL : in_chain(read_inode(instance->this, inode), instance);
    unlock_chain(instance);
    return context;
}

static struct glupy_context *
find(const struct bearer *bearer)
{
    struct glupy_instance *instance = bearer->instance;
    struct glupy_context *context;

    if (!bearer->fd)
        return of_inode(instance, bearer->inode);
    lock_chain(instance);
    context = instance->contexts.unchained ? NULL : in_chain(read_fd(instance->this, bearer->fd), instance);
    unlock_chain(instance);
    return context;
}

static struct glupy_context *
first_of(const struct bearer *bearer)
{
    xlator_t *this = bearer->instance->this;

    return bearer->fd ? read_fd(this, bearer->fd) : read_inode(this, bearer->inode);
}

static int
set_first(const struct bearer *bearer, struct glupy_context *context)
{
    xlator_t *this = bearer->instance->this;
    uint64_t value = (uintptr_t)context;

    return bearer->fd ? fd_ctx_set(bearer->fd, this, value) : inode_ctx_set(bearer->inode, this, &value);
}

static int
put(const struct bearer *bearer, struct glupy_context *context)
{
    int failed = -1;

    lock_chain(bearer->instance);
    if (!bearer->instance->contexts.unchained) {
        context->other = first_of(bearer);
        failed = set_first(bearer, context);
    }
    unlock_chain(bearer->instance);
    return failed;
}

/* With the chain locked. */
static void
unlink_context(const struct bearer *bearer, struct glupy_context *context)
{
    struct glupy_context *first = first_of(bearer), **at = &first;

    while (*at && *at != context)
        at = &(*at)->other;
    if (*at)
        *at = context->other;
    if (first)
        set_first(bearer, first); /* the slot has been there, so there is room for it */
    else if (bearer->fd)
        empty_fd(bearer->instance->this, bearer->fd);
    else
        empty_inode(bearer->instance->this, bearer->inode);
}

static void
take_out(const struct bearer *bearer, struct glupy_context *context)
{
    lock_chain(bearer->instance);
    if (!bearer->instance->contexts.unchained)
        unlink_context(bearer, context);
    unlock_chain(bearer->instance);
}

void
glupy_contexts_unchain(struct glupy_instance *primary)
{
    struct glupy_instance *replica;

    lock_chain(primary);
    glupy_for_each_replica(replica, primary)
        replica->contexts.unchained = replica->replicas.several;
    unlock_chain(primary);
}

struct glupy_context *
glupy_context_take_inode(struct glupy_instance *primary, inode_t *inode)
{
    struct glupy_context *first;

    lock_chain(primary);
    first = empty_inode(primary->this, inode);
    unlock_chain(primary);
    return first;
}

struct glupy_context *
glupy_context_take_fd(struct glupy_instance *primary, fd_t *fd)
{
    struct glupy_context *first;

    lock_chain(primary);
    first = empty_fd(primary->this, fd);
    unlock_chain(primary);
    return first;
}

bool
glupy_context_settle(inode_t *inode, struct glupy_context *context)
{
    struct glupy_instance *instance = context->instance;
    struct glupy_context *first;
    uint64_t value = 0;
    bool settled;

    lock_chain(instance);
    LOCK(&inode->lock);
    {
        first = __inode_ctx_get0(inode, instance->this, &value) == 0 ? (void *)(uintptr_t)value : NULL;
        settled = !in_chain(first, instance);
        if (settled) {
            context->other = first;
            value = (uintptr_t)context;
            settled = __inode_ctx_set0(inode, instance->this, &value) == 0;
        }
    }
    UNLOCK(&inode->lock);
    unlock_chain(instance);
    return settled;
}

/* The inode in the table with this gfid, if it is another one: a reference. */
static inode_t *
known_otherwise(inode_t *inode, uuid_t gfid)
{
    inode_t *other = inode_find(inode->table, gfid);

    if (other != inode)
        return other;
    glupy_drop_inode(other);
    return NULL;
}

/* An empty one in the slot: NULL with an exception. */
static struct glupy_context *
make(const struct bearer *bearer)
{
    struct glupy_context *context = calloc(1, sizeof(*context));

    if (!context) {
        PyErr_NoMemory();
        return NULL;
    }
    context->instance = bearer->instance;
    if (put(bearer, context) != 0) {
        free(context);
        PyErr_SetString(PyExc_MemoryError, "GlusterFS has no slot for this context");
        return NULL;
    }
    list_add_tail(&context->link, &bearer->instance->contexts.list);
    bearer->instance->contexts.any = true;
    return context;
}

void
glupy_context_free(struct glupy_context *context)
{
    PyObject *value = context->gone.ctx;

    list_del_init(&context->link);
    glupy_drop_inode(context->gone.inode);
    free(context->client);
    free(context);
    Py_XDECREF(value); /* last: it may run Python code */
}

/* Move the value to the inode that the table has, if that has none. */
static void
move_value(struct glupy_instance *instance, struct glupy_context *from, inode_t *to)
{
    struct bearer bearer = {.instance = instance, .inode = to};
    struct glupy_context *context = find(&bearer);

    if (!context)
        context = make(&bearer);
    if (!context) {
        PyErr_Clear(); /* it stays where it is: forget tries again */
        return;
    }
    if (!context->gone.ctx) {
        context->gone.ctx = from->gone.ctx;
        from->gone.ctx = NULL;
    }
}

/* An inode that is not in the table, and whose gfid the table has: what counts is the inode there. */
static void
set_inode(struct bearer *bearer, inode_t *inode)
{
    struct glupy_context *context = gf_uuid_is_null(inode->gfid) ? of_inode(bearer->instance, inode) : NULL;

    if (context && !gf_uuid_is_null(context->gone.gfid))
        bearer->owned = known_otherwise(inode, context->gone.gfid);
    if (bearer->owned && context->gone.ctx)
        move_value(bearer->instance, context, bearer->owned);
    bearer->inode = bearer->owned ? bearer->owned : inode;
}

static int
find_bearer(struct bearer *bearer, struct glupy_instance *instance, inode_t *inode, fd_t *fd)
{
    if (!instance || !instance->this) {
        PyErr_SetString(PyExc_ReferenceError, "the graph of this translator is gone");
        return -1;
    }
    if (!glupy_context_has_slot(instance->this, (fd ? fd->inode : inode)->table)) {
        PyErr_Format(PyExc_ValueError, "this %s is not of the graph of %s: it has no ctx there", fd ? "Fd" : "Inode",
                     instance->this->name);
        return -1;
    }
    *bearer = (struct bearer){.instance = instance, .fd = fd};
    if (!fd)
        set_inode(bearer, inode);
    return 0;
}

/* Factories run Python code: another thread may have set a value by the time one returns, and that one stays. */
static PyObject *
make_value(const struct bearer *bearer, PyObject *factory)
{
    struct glupy_context *context;
    PyObject *value;

    Py_INCREF(factory); /* the instance lets go of it where the graph ends meanwhile */
    value = PyObject_CallNoArgs(factory);
    Py_DECREF(factory);
    if (!value)
        return NULL;
    if (!bearer->instance->this) {
        Py_DECREF(value);
        PyErr_SetString(PyExc_ReferenceError, "the graph of this translator is gone");
        return NULL;
    }
    context = find(bearer);
    if (!context && !(context = make(bearer))) {
        Py_DECREF(value);
        return NULL;
    }
    if (!context->gone.ctx) {
        context->gone.ctx = glupy_disown(Py_NewRef(value));
        return value;
    }
    Py_INCREF(context->gone.ctx);
    Py_SETREF(value, context->gone.ctx);
    return value;
}

static PyObject *
get(const struct bearer *bearer, PyObject *factory)
{
    struct glupy_context *context = find(bearer);

    if (context && context->gone.ctx)
        return Py_NewRef(context->gone.ctx);
    return factory ? make_value(bearer, factory) : Py_NewRef(Py_None);
}

static PyObject *
context_get(struct glupy_instance *instance, inode_t *inode, fd_t *fd)
{
    struct bearer bearer;
    PyObject *value;

    if (find_bearer(&bearer, instance, inode, fd) != 0)
        return NULL;
    value = get(&bearer, fd ? instance->contexts.fd_factory : instance->contexts.inode_factory);
    glupy_drop_inode(bearer.owned);
    return value;
}

static int
set(const struct bearer *bearer, PyObject *value)
{
    struct glupy_context *context = find(bearer);

    if (!context && !(context = make(bearer)))
        return -1;
    Py_INCREF(value);
    Py_XSETREF(context->gone.ctx, glupy_disown(value));
    return 0;
}

static void
clear(const struct bearer *bearer)
{
    struct glupy_context *context = find(bearer);

    if (!context)
        return;
    take_out(bearer, context);
    glupy_context_free(context);
}

static int
context_set(struct glupy_instance *instance, inode_t *inode, fd_t *fd, PyObject *value)
{
    struct bearer bearer;
    int failed = 0;

    if (find_bearer(&bearer, instance, inode, fd) != 0)
        return -1;
    if (value)
        failed = set(&bearer, value);
    else
        clear(&bearer);
    glupy_drop_inode(bearer.owned);
    return failed;
}

void
glupy_contexts_end(struct glupy_instance *instance)
{
    while (!list_empty(&instance->contexts.list))
        glupy_context_free(list_first_entry(&instance->contexts.list, struct glupy_context, link));
}

/* Replies */

/* Remember it, and go by what the table has, if that is another inode. */
static void
learn(struct bearer *bearer, uuid_t gfid, inode_t *other)
{
    struct glupy_context *context = find(bearer);

    if (!context && other && !(context = make(bearer)))
        PyErr_Clear();
    if (!context)
        return;
    gf_uuid_copy(context->gone.gfid, gfid);
    if (other && context->gone.ctx)
        move_value(bearer->instance, context, other);
}

/* An inode that is not in the table turned out to have this gfid. */
static void
met(struct glupy_instance *instance, inode_t *inode, uuid_t gfid)
{
    struct bearer bearer = {.instance = instance, .inode = inode};

    if (!inode || !gf_uuid_is_null(inode->gfid) || gf_uuid_is_null(gfid) || !glupy_context_has_slot(instance->this, inode->table))
        return;
    bearer.owned = known_otherwise(inode, gfid);
    learn(&bearer, gfid, bearer.owned);
    glupy_drop_inode(bearer.owned);
}

static void
met_entries(struct glupy_instance *instance, gf_dirent_t *head)
{
    gf_dirent_t *entry;

    list_for_each_entry(entry, &head->list, list)
    {
        met(instance, entry->inode, entry->d_stat.ia_gfid);
    }
}

/* Which reply field is the iatt of the inode that the reply tells of, which comes right before it; 0: none. */
static unsigned
iatt_of_inode(const struct glupy_fop *fop)
{
    for (unsigned i = 0; i + 1u < fop->nreply; i++)
        if (fop->reply[i].kind == &glupy_kind_inode && fop->reply[i + 1].kind == &glupy_kind_iatt)
            return i + 1;
    return 0;
}

void
glupy_contexts_met(struct glupy_instance *instance, const struct glupy_fop *fop, void *held, inode_t *inode)
{
    unsigned at;

    if (!instance->contexts.any || !instance->this)
        return;
    at = iatt_of_inode(fop);
    if (at) {
        struct iatt *iatt = glupy_held(&fop->reply[at], held);
        inode_t *replied = *(inode_t **)glupy_held(&fop->reply[at - 1], held);

        met(instance, inode, iatt->ia_gfid);
        if (replied != inode)
            met(instance, replied, iatt->ia_gfid);
    }
    for (unsigned i = 0; i < fop->nreply; i++)
        if (fop->reply[i].kind == &glupy_kind_dirents)
            met_entries(instance, glupy_held(&fop->reply[i], held));
}

bool
glupy_contexts_want_reply(struct glupy_instance *instance, const struct glupy_fop *fop, PyObject *const *args)
{
    struct glupy_context *context;
    inode_t *inode;

    if (!fop || !iatt_of_inode(fop))
        return false;
    inode = glupy_first_inode(fop, args);
    if (!inode || !gf_uuid_is_null(inode->gfid) || !glupy_context_has_slot(instance->this, inode->table))
        return false;
    context = of_inode(instance, inode);
    return context && context->gone.ctx;
}

static void
free_gone(struct glupy_gone *gone)
{
    glupy_context_free((struct glupy_context *)gone); /* its first member */
}

const struct glupy_context_keeper glupy_context_keeper = {
    .get = context_get,
    .set = context_set,
    .free = free_gone,
};
