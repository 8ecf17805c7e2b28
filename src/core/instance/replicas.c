/* Which replica a fop goes to, and what replicas have in common. See replicas.h. */
#include "instance/replicas.h"

#include "base/compat.h"

int
glupy_replicas_want(struct glupy_instance *primary, unsigned count, const char *origin, size_t size)
{
    struct glupy_instance **replicas;

    if (count == 1)
        return 0;
    if (glupy_interpreters_need(count) != 0)
        return -1;
    replicas = calloc(count, sizeof(struct glupy_instance *));
    primary->replicas.origin = malloc(size ? size : 1);
    if (!replicas || !primary->replicas.origin) {
        free(replicas);
        PyErr_NoMemory();
        return -1;
    }
    memcpy(primary->replicas.origin, origin, size);
    primary->replicas.origin_size = size;
    replicas[0] = primary;
    primary->replicas.list = replicas; /* lifecycle.c makes the others */
    primary->replicas.wanted = count;
    return 0;
}

const char *
glupy_replica_differs(const struct glupy_instance *replica, const struct glupy_instance *primary)
{
    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++)
        if (!replica->handlers.methods[i] != !primary->handlers.methods[i] || replica->handlers.takes_call[i] != primary->handlers.takes_call[i] ||
            replica->handlers.offloaded[i] != primary->handlers.offloaded[i])
            return glupy_fops[i].name;
    return NULL;
}

/* Those that make an inode: most callers say in xdata which gfid it is to have. Not so lookup, which puts one there for
 * files that turn out to have none. */
static bool
makes_inode(const struct glupy_fop *fop)
{
    switch (fop->op) {
        case GF_FOP_MKNOD:
        case GF_FOP_MKDIR:
        case GF_FOP_SYMLINK:
        case GF_FOP_CREATE:
        case GF_FOP_PUT:
        case GF_FOP_ICREATE:
            return true;
        default:
            return false;
    }
}

static bool
wanted_gfid(const struct glupy_fop *fop, const void *passed, uuid_t gfid)
{
    dict_t *xdata = *(dict_t *const *)glupy_passed(&fop->args[fop->nargs - 1], passed);

    return makes_inode(fop) && xdata && dict_get_gfuuid(xdata, "gfid-req", (uuid_t *)gfid) == 0;
}

static void
copy_if_any(uuid_t gfid, uuid_t from)
{
    if (gf_uuid_is_null(gfid))
        gf_uuid_copy(gfid, from);
}

/* The inode's own, or else where it is to be found. */
static void
gfid_of_loc(loc_t *loc, uuid_t gfid)
{
    if (loc->inode)
        copy_if_any(gfid, loc->inode->gfid);
    copy_if_any(gfid, loc->gfid);
    if (loc->parent)
        copy_if_any(gfid, loc->parent->gfid);
    copy_if_any(gfid, loc->pargfid);
}

static void
find_gfid(const struct glupy_fop *fop, const void *passed, uuid_t gfid)
{
    for (unsigned i = 0; i < fop->nargs && gf_uuid_is_null(gfid); i++) {
        const void *value = glupy_passed(&fop->args[i], passed);
        loc_t *loc = fop->args[i].kind == &glupy_kind_loc ? *(loc_t *const *)value : NULL;
        fd_t *fd = fop->args[i].kind == &glupy_kind_fd ? *(fd_t *const *)value : NULL;

        if (loc && !wanted_gfid(fop, passed, gfid))
            gfid_of_loc(loc, gfid);
        else if (fd && fd->inode)
            gf_uuid_copy(gfid, fd->inode->gfid);
    }
}

/* By the last four bytes, which are random in all gfids but the root's and those that GlusterFS makes up itself. */
struct glupy_instance *
glupy_replica_by_place(struct glupy_instance *primary, const struct glupy_fop *fop, const void *passed)
{
    uuid_t gfid = {0};
    uint32_t last;

    find_gfid(fop, passed, gfid);
    last = (uint32_t)gfid[12] << 24 | (uint32_t)gfid[13] << 16 | (uint32_t)gfid[14] << 8 | gfid[15];
    return primary->replicas.list[last % primary->replicas.count];
}
