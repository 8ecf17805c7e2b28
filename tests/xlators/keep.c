/* Keeping arguments and replies past the call that lent them; see keep.h. */
#include "keep.h"

#include <stdlib.h>

/* Structures without references inside: a copy and a flag for NULL. */
#define KEEP_BY_COPY(kind, type, member)                                                                               \
    void keep_##kind(struct kept_##kind *held, const type *passed)                                                     \
    {                                                                                                                  \
        held->set = passed != NULL;                                                                                    \
        if (passed)                                                                                                    \
            held->member = *passed;                                                                                    \
    }                                                                                                                  \
                                                                                                                       \
    type *lend_##kind(struct kept_##kind *held)                                                                        \
    {                                                                                                                  \
        return held->set ? &held->member : NULL;                                                                       \
    }                                                                                                                  \
                                                                                                                       \
    void drop_##kind(struct kept_##kind *held)                                                                         \
    {                                                                                                                  \
        held->set = false;                                                                                             \
    }

KEEP_BY_COPY(iatt, struct iatt, iatt)
KEEP_BY_COPY(statvfs, struct statvfs, buf)
KEEP_BY_COPY(flock, struct gf_flock, flock)
KEEP_BY_COPY(lease, struct gf_lease, lease)

/* Objects that GlusterFS counts references of. */
#define KEEP_BY_REFERENCE(kind, type)                                                                                  \
    void keep_##kind(struct kept_##kind *held, type *passed)                                                           \
    {                                                                                                                  \
        held->kind = passed ? kind##_ref(passed) : NULL;                                                               \
    }                                                                                                                  \
                                                                                                                       \
    type *lend_##kind(struct kept_##kind *held)                                                                        \
    {                                                                                                                  \
        return held->kind;                                                                                             \
    }                                                                                                                  \
                                                                                                                       \
    void drop_##kind(struct kept_##kind *held)                                                                         \
    {                                                                                                                  \
        if (held->kind)                                                                                                \
            kind##_unref(held->kind);                                                                                  \
        held->kind = NULL;                                                                                             \
    }

KEEP_BY_REFERENCE(inode, inode_t)
KEEP_BY_REFERENCE(fd, fd_t)
KEEP_BY_REFERENCE(dict, dict_t)

void
keep_loc(struct kept_loc *held, loc_t *passed)
{
    held->set = passed != NULL;
    if (passed && loc_copy(&held->loc, passed) != 0)
        abort();
}

loc_t *
lend_loc(struct kept_loc *held)
{
    return held->set ? &held->loc : NULL;
}

void
drop_loc(struct kept_loc *held)
{
    if (held->set)
        loc_wipe(&held->loc);
    held->set = false;
}

void
keep_checksum(struct kept_checksum *held, const uint8_t *passed)
{
    held->set = passed != NULL;
    if (passed)
        memcpy(held->bytes, passed, sizeof held->bytes);
}

uint8_t *
lend_checksum(struct kept_checksum *held)
{
    return held->set ? held->bytes : NULL;
}

void
drop_checksum(struct kept_checksum *held)
{
    held->set = false;
}

void
keep_dirents(struct kept_dirents *held, gf_dirent_t *passed)
{
    gf_dirent_t *entry = NULL;

    INIT_LIST_HEAD(&held->head.list);
    held->set = passed != NULL;
    if (!passed)
        return;
    list_for_each_entry(entry, &passed->list, list)
    {
        gf_dirent_t *copy = entry_copy(entry);
        if (!copy)
            abort();
        list_add_tail(&copy->list, &held->head.list);
    }
}

gf_dirent_t *
lend_dirents(struct kept_dirents *held)
{
    return held->set ? &held->head : NULL;
}

void
drop_dirents(struct kept_dirents *held)
{
    if (held->set)
        gf_dirent_free(&held->head);
    held->set = false;
}

static void
add_lock(struct kept_locklist *held, const lock_migration_info_t *lock)
{
    lock_migration_info_t *copy = xl_alloc(sizeof *copy);

    copy->flock = lock->flock;
    copy->lk_flags = lock->lk_flags;
    copy->client_uid = lock->client_uid ? strdup(lock->client_uid) : NULL;
    list_add_tail(&copy->list, &held->head.list);
}

void
keep_locklist(struct kept_locklist *held, lock_migration_info_t *passed)
{
    lock_migration_info_t *lock = NULL;

    INIT_LIST_HEAD(&held->head.list);
    held->set = passed != NULL;
    if (!passed)
        return;
    list_for_each_entry(lock, &passed->list, list)
    {
        add_lock(held, lock);
    }
}

lock_migration_info_t *
lend_locklist(struct kept_locklist *held)
{
    return held->set ? &held->head : NULL;
}

void
drop_locklist(struct kept_locklist *held)
{
    lock_migration_info_t *lock = NULL, *next = NULL;

    if (!held->set)
        return;
    list_for_each_entry_safe(lock, next, &held->head.list, list)
    {
        list_del(&lock->list);
        free(lock->client_uid);
        free(lock);
    }
    held->set = false;
}

void
keep_payload(struct kept_payload *held, const struct iovec *vector, int32_t count, struct iobref *iobref)
{
    held->count = count;
    held->iobref = iobref ? iobref_ref(iobref) : NULL;
    held->vector = NULL;
    if (!vector)
        return;
    held->vector = xl_alloc((count > 0 ? count : 1) * sizeof *vector);
    if (count > 0)
        memcpy(held->vector, vector, count * sizeof *vector);
}

void
drop_payload(struct kept_payload *held)
{
    free(held->vector);
    held->vector = NULL;
    if (held->iobref)
        iobref_unref(held->iobref);
    held->iobref = NULL;
}

void
keep_string(struct kept_string *held, const char *passed)
{
    held->text = passed ? strdup(passed) : NULL;
    if (passed && !held->text)
        abort();
}

char *
lend_string(struct kept_string *held)
{
    return held->text;
}

void
drop_string(struct kept_string *held)
{
    free(held->text);
    held->text = NULL;
}

void
keep_opaque(struct kept_opaque *held, void *passed)
{
    held->pointer = passed;
}

void *
lend_opaque(struct kept_opaque *held)
{
    return held->pointer;
}

void
drop_opaque(struct kept_opaque *held)
{
    held->pointer = NULL;
}
