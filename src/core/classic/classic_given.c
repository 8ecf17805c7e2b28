/* What a script is given. See classic_given.h. */
#include "classic/classic_given.h"

#include "base/compat.h"
#include "classic/classic.h"

/* Copies of a list's entries: where each was, and where its copy is, in the order of both. */
struct entry {
    void *original, *copy;
};

/* Is there something of it in `values`? */
static bool
is_copied(const struct glupy_kind *kind)
{
    return kind->form == GLUPY_RECORD || kind->form == GLUPY_LIST || kind == &glupy_kind_checksum;
}

/* Making copies. */

static void
show_value(const struct glupy_field *field, void *copy, void **shown)
{
    if (*shown)
        *shown = memcpy(copy, *shown, field->kind->held_size);
}

static void
show_checksum(void *copy, void **shown)
{
    if (*shown)
        *shown = memcpy(copy, *shown, GLUPY_CHECKSUM_LEN);
}

/* Twice: one to be shown, and one to compare it with. */
static bool
show_vector(struct glupy_given *self, struct glupy_payload *shown)
{
    size_t size = shown->count > 0 ? (size_t)shown->count * sizeof(struct iovec) : 0;

    if (!size || !shown->vector)
        return true;
    self->more = malloc(2 * size);
    if (!self->more)
        return false;
    memcpy(self->more, shown->vector, size);
    memcpy((char *)self->more + size, shown->vector, size);
    self->nmore = (size_t)shown->count;
    shown->vector = self->more;
    return true;
}

static size_t
entry_size(const struct glupy_kind *kind, const void *entry)
{
    if (kind == &glupy_kind_dirents)
        return offsetof(gf_dirent_t, d_name) + strlen(((const gf_dirent_t *)entry)->d_name) + 1;
    return sizeof(lock_migration_info_t);
}

static size_t
aligned(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

/* Both kinds of entries, and heads, start with their links. */
_Static_assert(offsetof(gf_dirent_t, list) == 0 && offsetof(lock_migration_info_t, list) == 0, "links come first");

static bool
show_list(struct glupy_given *self, const struct glupy_kind *kind, void *copy, void **shown)
{
    struct list_head *head = copy, *original = *shown, *at;
    size_t count = 0, size = 0;
    struct entry *entries;
    char *room;

    if (!original)
        return true;
    memcpy(copy, original, kind->held_size);
    INIT_LIST_HEAD(head);
    *shown = copy;
    if (!original->next || list_empty(original))
        return true;
    for (at = original->next; at != original; at = at->next) {
        count++;
        size += aligned(entry_size(kind, at));
    }
    entries = self->more = malloc(aligned(count * sizeof(*entries)) + size);
    if (!entries)
        return false;
    room = (char *)self->more + aligned(count * sizeof(*entries));
    for (at = original->next; at != original; at = at->next) {
        entries[self->nmore++] = (struct entry){.original = at, .copy = memcpy(room, at, entry_size(kind, at))};
        list_add_tail((struct list_head *)room, head);
        room += aligned(entry_size(kind, at));
    }
    return true;
}

static bool
show(struct glupy_given *self, const struct glupy_field *field)
{
    void *copy = self->values + field->held, *shown = glupy_passed(field, &self->shown);

    if (field->kind->form == GLUPY_RECORD)
        show_value(field, copy, shown);
    else if (field->kind == &glupy_kind_checksum)
        show_checksum(copy, shown);
    else if (field->kind == &glupy_kind_payload)
        return show_vector(self, shown);
    else if (field->kind->form == GLUPY_LIST)
        return show_list(self, field->kind, copy, shown);
    return true;
}

/* For whatever fop: the largest are those with a lock. */
static size_t
room_for_values(void)
{
    size_t most = sizeof(union glupy_any_reply_held);

    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++)
        if (glupy_fops[i].args_held_size > most)
            most = glupy_fops[i].args_held_size;
    return most;
}

struct glupy_given *
glupy_given_new(struct glupy_classic_state *state, const struct glupy_field *fields, unsigned nfields, const void *passed,
                size_t size)
{
    struct glupy_given *self = state->spare_given;

    if (self) {
        state->spare_given = self->next;
        state->nspare_given--;
    } else if (!(self = calloc(1, sizeof(*self) + room_for_values()))) {
        PyErr_NoMemory();
        return NULL;
    }
    self->next = NULL;
    self->fields = fields;
    self->nfields = nfields;
    self->more = NULL;
    self->nmore = 0;
    memcpy(&self->shown, passed, size);
    for (unsigned i = 0; i < nfields; i++) {
        if (!show(self, &fields[i])) {
            glupy_given_free(state, self);
            PyErr_NoMemory();
            return NULL;
        }
    }
    return self;
}

void
glupy_given_free(struct glupy_classic_state *state, struct glupy_given *self)
{
    if (!self)
        return;
    free(self->more);
    self->more = NULL;
    if (state->nspare_given == GLUPY_CLASSIC_SPARE) {
        free(self);
        return;
    }
    for (unsigned i = 0; i < self->nfields; i++)
        if (is_copied(self->fields[i].kind))
            memset(self->values + self->fields[i].held, 0, self->fields[i].kind->held_size);
    self->next = state->spare_given;
    state->spare_given = self;
    state->nspare_given++;
}

/* Comparing. */

static bool
same_vector(const struct glupy_given *self, const struct glupy_payload *shown, const struct glupy_payload *value)
{
    size_t size = self->nmore * sizeof(struct iovec);

    return value->vector == shown->vector && value->count == shown->count && value->iobref == shown->iobref &&
           (!self->more || memcmp(self->more, (char *)self->more + size, size) == 0);
}

/* The links lead through all copies, in their order, and what is behind the links is as it was. */
static bool
same_list(const struct glupy_given *self, const struct glupy_kind *kind, const struct list_head *head)
{
    const struct entry *entries = self->more;
    const struct list_head *at = head->next, *before = head;

    for (size_t i = 0; i < self->nmore; i++) {
        const char *copy = entries[i].copy, *original = entries[i].original;

        if (at != entries[i].copy || at->prev != before ||
            memcmp(copy + sizeof(*at), original + sizeof(*at), entry_size(kind, original) - sizeof(*at)) != 0)
            return false;
        before = at;
        at = at->next;
    }
    return at == head && head->prev == before;
}

static bool
same_text(const char *shown, const char *value)
{
    return shown && value && strcmp(shown, value) == 0;
}

bool
glupy_given_same(const struct glupy_given *self, unsigned i, const void *value, const void *passed)
{
    const struct glupy_field *field = &self->fields[i];
    const void *shown = glupy_passed_pointer(field, &self->shown), *original = glupy_passed_pointer(field, passed);
    const void *pointer = *(void *const *)value;

    if (field->kind == &glupy_kind_payload)
        return same_vector(self, glupy_passed(field, &self->shown), value);
    if (field->kind == &glupy_kind_string && pointer)
        return same_text(original, pointer);
    if (pointer != shown || !pointer || !original)
        return !pointer && !shown;
    if (field->kind->form == GLUPY_RECORD)
        return memcmp(pointer, original, field->kind->held_size) == 0;
    if (field->kind == &glupy_kind_checksum)
        return memcmp(pointer, original, GLUPY_CHECKSUM_LEN) == 0;
    return field->kind->form != GLUPY_LIST || same_list(self, field->kind, pointer);
}

void *
glupy_given_entry(const struct glupy_given *self, const void *copy)
{
    const struct entry *entries = self->more;
    size_t low = 0, high = self->nmore;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (entries[middle].copy == copy)
            return entries[middle].original;
        if ((uintptr_t)entries[middle].copy < (uintptr_t)copy)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Moving. */

static void
move_pointer(const void *shown, const void *was, const void *is)
{
    if (*(const void *const *)shown == *(const void *const *)was)
        memcpy((void *)shown, is, sizeof(void *));
}

static void
move_loc(loc_t *shown, loc_t *was, loc_t *is)
{
    move_pointer(&shown->path, &was->path, &is->path);
    move_pointer(&shown->name, &was->name, &is->name);
    move_pointer(&shown->inode, &was->inode, &is->inode);
    move_pointer(&shown->parent, &was->parent, &is->parent);
    if (gf_uuid_compare(shown->gfid, was->gfid) == 0)
        gf_uuid_copy(shown->gfid, is->gfid);
    if (gf_uuid_compare(shown->pargfid, was->pargfid) == 0)
        gf_uuid_copy(shown->pargfid, is->pargfid);
}

/* Without an iobref the data was copied, in one piece: the pieces shown become parts of that one. */
static void
move_vector(struct glupy_given *self, const struct glupy_payload *was, const struct glupy_payload *is)
{
    struct iovec *vector = self->more, *pristine = vector + self->nmore;
    char *at = is->vector ? is->vector->iov_base : NULL;

    for (size_t i = 0; i < self->nmore && !was->iobref && at; i++) {
        if (vector[i].iov_base == pristine[i].iov_base)
            vector[i].iov_base = at;
        pristine[i].iov_base = at;
        at += pristine[i].iov_len;
    }
}

static void
move_list(struct glupy_given *self, const struct list_head *is)
{
    struct entry *entries = self->more;
    const struct list_head *at = is->next;

    for (size_t i = 0; i < self->nmore && at != is; i++, at = at->next)
        entries[i].original = (void *)at;
}

void
glupy_given_moved(struct glupy_given *self, const void *was, const void *is)
{
    for (unsigned i = 0; i < self->nfields; i++) {
        const struct glupy_field *field = &self->fields[i];
        void *shown = glupy_passed_pointer(field, &self->shown);
        void *from = glupy_passed_pointer(field, was), *to = glupy_passed_pointer(field, is);

        if (field->kind == &glupy_kind_payload)
            move_vector(self, glupy_passed(field, was), glupy_passed(field, is));
        else if (!shown || !to)
            continue;
        else if (field->kind == &glupy_kind_loc)
            move_loc(shown, from, to);
        else if (field->kind->form == GLUPY_RECORD && memcmp(shown, from, field->kind->held_size) == 0)
            memcpy(shown, to, field->kind->held_size);
        else if (field->kind->form == GLUPY_LIST)
            move_list(self, to);
    }
}
