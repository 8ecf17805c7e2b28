/* Values of a script's own. See classic_take.h. */
#include "classic/classic_take.h"

#include "base/compat.h"
#include "classic/classic_known.h"
#include "request/belongs.h"
#include "values/drops.h"

/* A list that is longer does not end. */
#define MOST_ENTRIES (1 << 17)

static struct glupy_classic_state *
state_of(const struct glupy_taking *taking)
{
    return taking->self->request->instance->state->classic;
}

/* `part`: ".inode", or "" for the argument itself. Returns false. */
static bool
refuse(const struct glupy_taking *taking, const char *part, const char *why)
{
    PyErr_Format(PyExc_ValueError, "%s%s: %s%s %s", taking->what, taking->fop->name, taking->field->name, part, why);
    return false;
}

static bool
unreadable(const struct glupy_taking *taking, const char *part)
{
    return refuse(taking, part, "points to where nothing can be read");
}

static bool
no_memory(void)
{
    PyErr_NoMemory();
    return false;
}

/* Objects of GlusterFS's. Those of the request itself are known without looking. */

static bool
is_of(const struct glupy_field *fields, unsigned n, const void *passed, const struct glupy_kind *kind, const void *object)
{
    for (unsigned i = 0; i < n; i++) {
        const void *pointer = glupy_passed_pointer(&fields[i], passed);
        const loc_t *loc = fields[i].kind == &glupy_kind_loc ? pointer : NULL;
        const fd_t *fd = fields[i].kind == &glupy_kind_fd ? pointer : NULL;

        if (fields[i].kind == kind && pointer == object)
            return true;
        if (kind == &glupy_kind_inode && ((loc && (loc->inode == object || loc->parent == object)) ||
                                          (fd && fd->inode == object)))
            return true;
    }
    return false;
}

bool
glupy_classic_is_own(const struct glupy_classic_request *self, const struct glupy_kind *kind, const void *object)
{
    const struct glupy_fop *fop = self->request->fop;

    return is_of(fop->args, fop->nargs, &self->args, kind, object) ||
           (self->reply && is_of(self->reply->fop->reply, self->reply->fop->nreply, &self->reply_passed, kind, object));
}

/* A live inode: is it of the graph in which it is to be used? */
static bool
check_graph(const struct glupy_taking *taking, const char *part, const inode_t *inode)
{
    return glupy_belongs_inode(taking->self->request->instance, inode) || refuse(taking, part, "is of another graph");
}

/* What the request itself was given is of its graph. */
static bool
check_inode(const struct glupy_taking *taking, const char *part, const inode_t *inode)
{
    if (glupy_classic_is_own(taking->self, &glupy_kind_inode, inode))
        return true;
    if (!glupy_is_inode(state_of(taking), inode))
        return refuse(taking, part, "is no inode of GlusterFS's");
    return check_graph(taking, part, inode);
}

static bool
check_dict(const struct glupy_taking *taking, const char *part, const dict_t *dict)
{
    return glupy_classic_is_own(taking->self, &glupy_kind_dict, dict) || glupy_is_dict(state_of(taking), dict) ||
           refuse(taking, part, "is no dict of GlusterFS's: dict_new() of libglusterfs makes one");
}

static bool
check_fd(const struct glupy_taking *taking, const fd_t *fd)
{
    if (glupy_classic_is_own(taking->self, &glupy_kind_fd, fd))
        return true;
    if (!glupy_is_fd(state_of(taking), fd))
        return refuse(taking, "", "is no fd of GlusterFS's: fd_create() of libglusterfs makes one");
    return check_graph(taking, "", fd->inode);
}

static bool
hold(const struct glupy_taking *taking, const void *value, void *held)
{
    return taking->field->kind->hold(held, value) == 0 || no_memory();
}

/* Structures. */

/* One that leads nowhere: iatt, statvfs, flock, lease. */
static bool
take_record(const struct glupy_taking *taking, const void *from, void *held)
{
    char copy[sizeof(struct gf_flock) > sizeof(struct statvfs) ? sizeof(struct gf_flock) : sizeof(struct statvfs)]
        __attribute__((aligned(16)));
    void *pointer = copy;

    _Static_assert(sizeof(copy) >= sizeof(struct iatt) && sizeof(copy) >= sizeof(struct gf_lease), "the largest");
    return glupy_read(from, copy, taking->field->kind->held_size) ? hold(taking, &pointer, held)
                                                                   : unreadable(taking, "");
}

static bool
take_text(const struct glupy_taking *taking, const char *part, const char **text)
{
    if (!*text)
        return true;
    *text = glupy_read_text(*text);
    return *text || unreadable(taking, part);
}

static bool
check_loc(const struct glupy_taking *taking, const loc_t *loc)
{
    if (loc->inode && !check_inode(taking, ".inode", loc->inode))
        return false;
    if (loc->parent && !check_inode(taking, ".parent", loc->parent))
        return false;
    if (loc->inode && loc->parent && loc->inode->table != loc->parent->table)
        return refuse(taking, ".parent", "is of another inode table than its inode");
    return true;
}

static bool
take_loc(const struct glupy_taking *taking, const loc_t *from, loc_t *held)
{
    const char *path = NULL, *name = NULL;
    loc_t copy, *pointer = &copy;
    bool taken;

    if (!glupy_read(from, &copy, sizeof(copy)))
        return unreadable(taking, "");
    if (!check_loc(taking, &copy))
        return false;
    path = copy.path;
    name = copy.name;
    if (!take_text(taking, ".path", &path))
        return false;
    if (!take_text(taking, ".name", &name)) {
        free((char *)path);
        return false;
    }
    copy.path = path;
    copy.name = name;
    taken = hold(taking, &pointer, held);
    free((char *)path);
    free((char *)name);
    return taken;
}

/* Some scripts have 16 bytes, as there were when it was an MD5. */
static bool
take_checksum(const struct glupy_taking *taking, const uint8_t *from, void *held)
{
    uint8_t bytes[GLUPY_CHECKSUM_LEN] = {0}, *pointer = bytes;

    if (!glupy_read(from, bytes, sizeof(bytes)) && !glupy_read(from, bytes, sizeof(bytes) / 2))
        return unreadable(taking, "");
    return hold(taking, &pointer, held);
}

static bool
take_string(const struct glupy_taking *taking, const char *from, void *held)
{
    bool taken = take_text(taking, "", &from);

    *(char **)held = (char *)from;
    return taken;
}

static bool
take_opaque(const struct glupy_taking *taking, const void *value, void *held)
{
    const struct glupy_classic_request *self = taking->self;
    const struct glupy_fop *fop = self->request->fop;
    bool known = false;

    for (unsigned i = 0; i < fop->nargs; i++)
        known |= fop->args[i].kind == &glupy_kind_opaque &&
                 glupy_passed_pointer(&fop->args[i], &self->args) == *(void *const *)value;
    for (unsigned i = 0; self->reply && i < self->reply->fop->nreply; i++)
        known |= self->reply->fop->reply[i].kind == &glupy_kind_opaque &&
                 glupy_passed_pointer(&self->reply->fop->reply[i], &self->reply_passed) == *(void *const *)value;
    return known ? hold(taking, value, held) : refuse(taking, "", "is none that was given: pass that one, or None");
}

/* Payloads. */

static bool
is_kept(const struct glupy_payload *payload)
{
    if (!payload->iobref)
        return false;
    for (int32_t i = 0; i < payload->count; i++)
        if (payload->vector[i].iov_len && !glupy_iobref_keeps(payload->iobref, &payload->vector[i]))
            return false;
    return true;
}

static bool
check_pieces(const struct glupy_taking *taking, const struct glupy_payload *payload)
{
    size_t total = 0;

    for (int32_t i = 0; i < payload->count; i++) {
        const struct iovec *piece = &payload->vector[i];
        char part[32];

        snprintf(part, sizeof(part), "[%d]", i);
        if (piece->iov_len && !piece->iov_base)
            return refuse(taking, part, "has no iov_base, but an iov_len");
        if (piece->iov_len > INT32_MAX - total)
            return refuse(taking, part, "has an iov_len that no fop takes");
        total += piece->iov_len;
    }
    return true;
}

/* Bytes that nothing keeps: copied, in one piece. */
static bool
take_bytes(const struct glupy_taking *taking, const struct glupy_payload *payload, void *held)
{
    struct iovec whole = {NULL, iov_length(payload->vector, payload->count)};
    struct glupy_payload copy = {.vector = &whole, .count = whole.iov_len > 0};
    char *at = whole.iov_base = whole.iov_len ? malloc(whole.iov_len) : NULL;
    bool taken = true;

    if (whole.iov_len && !at)
        return no_memory();
    for (int32_t i = 0; taken && i < payload->count; i++) {
        const struct iovec *piece = &payload->vector[i];

        if (piece->iov_len && !glupy_read(piece->iov_base, at, piece->iov_len)) {
            PyErr_Format(PyExc_ValueError, "%s%s: %s[%d] says that there are %zu bytes: they cannot all be read",
                         taking->what, taking->fop->name, taking->field->name, i, piece->iov_len);
            taken = false;
        }
        at += piece->iov_len;
    }
    taken = taken && hold(taking, &copy, held);
    free(whole.iov_base);
    return taken;
}

/* `vector`: the script's, copied. */
static bool
take_pieces(const struct glupy_taking *taking, const struct glupy_payload *value, struct iovec *vector, void *held)
{
    struct glupy_payload payload = {vector, value->count, value->iobref};

    if (!glupy_read(value->vector, vector, (size_t)value->count * sizeof(*vector)))
        return unreadable(taking, "");
    if (!check_pieces(taking, &payload))
        return false;
    return is_kept(&payload) ? hold(taking, &payload, held) : take_bytes(taking, &payload, held);
}

static bool
is_own_iobref(const struct glupy_field *fields, unsigned n, const void *passed, const struct iobref *iobref)
{
    for (unsigned i = 0; i < n; i++)
        if (fields[i].kind == &glupy_kind_payload)
            return ((struct glupy_payload *)glupy_passed(&fields[i], passed))->iobref == iobref;
    return false;
}

static bool
check_iobref(const struct glupy_taking *taking, const struct iobref *iobref)
{
    const struct glupy_classic_request *self = taking->self;
    const struct glupy_fop *fop = self->request->fop, *replied = self->reply ? self->reply->fop : NULL;

    if (!iobref || is_own_iobref(fop->args, fop->nargs, &self->args, iobref) ||
        (replied && is_own_iobref(replied->reply, replied->nreply, &self->reply_passed, iobref)) ||
        glupy_is_iobref(state_of(taking), iobref))
        return true;
    PyErr_Format(PyExc_ValueError, "%s%s: iobref is none of GlusterFS's: iobref_new() of libglusterfs makes one",
                 taking->what, taking->fop->name);
    return false;
}

static bool
take_payload(const struct glupy_taking *taking, const struct glupy_payload *value, void *held)
{
    struct iovec *vector;
    bool taken;

    if (!check_iobref(taking, value->iobref))
        return false;
    if (value->count < 0 || value->count > IOV_MAX) {
        PyErr_Format(PyExc_ValueError, "%s%s: count is %d: it has to be between 0 and %d", taking->what,
                     taking->fop->name, value->count, IOV_MAX);
        return false;
    }
    if (value->count == 0)
        return hold(taking, value, held);
    vector = malloc((size_t)value->count * sizeof(*vector));
    taken = vector ? take_pieces(taking, value, vector, held) : no_memory();
    free(vector);
    return taken;
}

/* Lists. */

/* The entry that stands behind a copy that the script was given, or NULL. */
static void *
given_entry(const struct glupy_classic_request *self, const void *copy)
{
    void *entry = self->reply_given ? glupy_given_entry(self->reply_given, copy) : NULL;

    return !entry && self->args_given ? glupy_given_entry(self->args_given, copy) : entry;
}

/* Only `next` counts, as for whoever walks through a list in C. NULL, or what is wrong. */
static const char *
flaw_of_list(const struct list_head *head)
{
    const struct list_head *at = head;
    struct list_head link;

    for (unsigned i = 0; i <= MOST_ENTRIES; i++) {
        if (!glupy_read(at, &link, sizeof(link)))
            return at == head ? "points to where nothing can be read" : "has a list that leads to where nothing can be read";
        if (!link.next)
            return "has a list that was not set up: next and prev have to point to itself";
        if (link.next == head)
            return NULL;
        at = link.next;
    }
    return "has a list that does not end: the last entry's next has to point to it";
}

static bool
check_list(const struct glupy_taking *taking, const struct list_head *head)
{
    const char *flaw = flaw_of_list(head);

    return !flaw || refuse(taking, "", flaw);
}

/* `seen`: a copy of the entry; `original`: what the script was given it for, or NULL. A node of GlusterFS's, or NULL with
 * an exception. */
static gf_dirent_t *
take_dirent(const struct glupy_taking *taking, const gf_dirent_t *from, const gf_dirent_t *seen,
            const gf_dirent_t *original)
{
    const char *name = from->d_name;
    gf_dirent_t *entry;

    if (seen->inode && !(original && original->inode == seen->inode) && !check_inode(taking, ": an entry's inode", seen->inode))
        return NULL;
    if (seen->dict && !(original && original->dict == seen->dict) && !check_dict(taking, ": an entry's dict", seen->dict))
        return NULL;
    if (!take_text(taking, ": an entry's d_name", &name))
        return NULL;
    entry = gf_dirent_for_name(name);
    free((char *)name);
    if (!entry) {
        PyErr_NoMemory();
        return NULL;
    }
    entry->d_ino = seen->d_ino;
    entry->d_off = seen->d_off;
    entry->d_type = seen->d_type;
    entry->d_stat = seen->d_stat;
    entry->inode = seen->inode ? inode_ref(seen->inode) : NULL;
    entry->dict = seen->dict ? dict_ref(seen->dict) : NULL;
    return entry;
}

/* Leaves the list empty. */
bool
glupy_classic_free_dirents(const struct glupy_classic_request *self, const gf_dirent_t *head,
                           bool (*is_allocated)(const void *memory))
{
    struct list_head link, none = {(struct list_head *)&head->list, (struct list_head *)&head->list};
    struct list_head *at, *next;

    if (flaw_of_list(&head->list) || !glupy_read(head, &link, sizeof(link)) ||
        !glupy_write((void *)&head->list, &none, sizeof(none)))
        return false;
    for (at = link.next; at != &head->list && glupy_read(at, &link, sizeof(link)); at = next) {
        next = link.next;
        if ((self && given_entry(self, at)) || !is_allocated(at))
            continue;
        INIT_LIST_HEAD(at);
        glupy_drop_dirent((gf_dirent_t *)at);
    }
    return true;
}

static bool
copy_dirents(const struct glupy_taking *taking, const gf_dirent_t *from, struct list_head *to)
{
    const struct list_head *at = &from->list;
    gf_dirent_t seen, *entry;

    while (glupy_read(at, &seen, sizeof(seen.list)) && (at = seen.list.next) != &from->list) {
        if (!glupy_read(at, &seen, offsetof(gf_dirent_t, d_name)))
            return unreadable(taking, ": an entry");
        entry = take_dirent(taking, (const gf_dirent_t *)at, &seen, given_entry(taking->self, at));
        if (!entry)
            return false;
        list_add_tail(&entry->list, to);
    }
    return true;
}

static bool
take_dirents(const struct glupy_taking *taking, const gf_dirent_t *from, void *held)
{
    gf_dirent_t head = {0}, *copied = &head;
    bool taken;

    INIT_LIST_HEAD(&head.list);
    taken = check_list(taking, &from->list) && copy_dirents(taking, from, &head.list);
    hold(taking, &copied, held);
    if (taken) /* as in C, those that GlusterFS allocated change hands: the copies go on in their stead */
        glupy_classic_free_dirents(taking->self, from, glupy_is_allocated);
    else
        taking->field->kind->discard(held);
    return taken;
}

static void
free_locks(struct list_head *head)
{
    while (!list_empty(head)) {
        lock_migration_info_t *entry = list_entry(head->next, lock_migration_info_t, list);

        list_del(&entry->list);
        free(entry->client_uid);
        free(entry);
    }
}

static bool
take_lock(const struct glupy_taking *taking, const void *from, struct list_head *to)
{
    lock_migration_info_t *entry = calloc(1, sizeof(*entry));
    const char *client_uid;

    if (!entry)
        return no_memory();
    if (!glupy_read(from, entry, sizeof(*entry))) {
        free(entry);
        return unreadable(taking, ": an entry");
    }
    client_uid = entry->client_uid;
    if (!take_text(taking, ": an entry's client_uid", &client_uid)) {
        free(entry);
        return false;
    }
    entry->client_uid = (char *)client_uid;
    list_add_tail(&entry->list, to);
    return true;
}

static bool
take_locks(const struct glupy_taking *taking, const lock_migration_info_t *from, void *held)
{
    lock_migration_info_t head = {0}, *copied = &head;
    const struct list_head *at = &from->list;
    bool taken = check_list(taking, at);
    struct list_head link;

    INIT_LIST_HEAD(&head.list);
    while (taken && glupy_read(at, &link, sizeof(link)) && (at = link.next) != &from->list)
        taken = take_lock(taking, at, &head.list);
    taken = taken && hold(taking, &copied, held);
    free_locks(&head.list);
    return taken;
}

bool
glupy_classic_take(const struct glupy_taking *taking, const void *value, void *held)
{
    const struct glupy_kind *kind = taking->field->kind;
    void *pointer = kind->passed_size >= sizeof(void *) ? *(void *const *)value : NULL;

    if (kind == &glupy_kind_loc)
        return take_loc(taking, pointer, held);
    if (kind == &glupy_kind_inode)
        return check_inode(taking, "", pointer) && hold(taking, value, held);
    if (kind == &glupy_kind_fd)
        return check_fd(taking, pointer) && hold(taking, value, held);
    if (kind == &glupy_kind_dict)
        return check_dict(taking, "", pointer) && hold(taking, value, held);
    if (kind == &glupy_kind_payload)
        return take_payload(taking, value, held);
    if (kind == &glupy_kind_string)
        return take_string(taking, pointer, held);
    if (kind == &glupy_kind_checksum)
        return take_checksum(taking, pointer, held);
    if (kind == &glupy_kind_opaque)
        return take_opaque(taking, value, held);
    if (kind == &glupy_kind_dirents)
        return take_dirents(taking, pointer, held);
    if (kind == &glupy_kind_locklist)
        return take_locks(taking, pointer, held);
    return take_record(taking, pointer, held);
}
