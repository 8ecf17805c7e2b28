/* gfapihost: what storage/posix needs of a process that libgfapi made, where glusterfsd, protocol/server or fuse would
 * see to it. Stands above everything else.
 *
 *   - storage/posix puts itself on lists that only glusterfsd initialises;
 *   - it wants gfids in each loc, which protocol/server fills in;
 *   - it never says that it is down, for which glfs_fini() waits. */
#include "gfapihost.h"

static void
fill_gfid(uuid_t gfid, inode_t *inode)
{
    if (inode && gf_uuid_is_null(gfid))
        gf_uuid_copy(gfid, inode->gfid);
}

void
gfapihost_fill(loc_t *loc)
{
    fill_gfid(loc->gfid, loc->inode);
    fill_gfid(loc->pargfid, loc->parent);
}

static void
init_list(struct list_head *list)
{
    if (!list->next)
        INIT_LIST_HEAD(list);
}

static int32_t
gfapihost_init(xlator_t *this)
{
    if (!this->children || this->children->next) {
        gf_msg(this->name, GF_LOG_ERROR, EINVAL, 0, "gfapihost needs exactly one subvolume");
        return -1;
    }
    init_list(&this->ctx->diskth_xl);
    init_list(&this->ctx->janitor_fds);
    return 0;
}

static void
gfapihost_fini(xlator_t *this)
{
}

static int
gfapihost_notify(xlator_t *this, int32_t event, void *data, ...)
{
    return default_notify(this, event == GF_EVENT_PARENT_DOWN ? GF_EVENT_CHILD_DOWN : event, data);
}

static struct xlator_cbks cbks;

XL_EXPORT xlator_api_t xlator_api = {
    .identifier = "gfapihost",
    .category = GF_EXPERIMENTAL,
    .op_version = {1},
    .init = gfapihost_init,
    .fini = gfapihost_fini,
    .notify = gfapihost_notify,
    .fops = &gfapihost_fops,
    .cbks = &cbks,
};
