/* The translator ground: see ground.h. Its fops are generated (ground_fops.c.in). With a child it is the translator caller
 * (caller.h). */
#include "ground.h"

#include "caller.h"

/* An inode that the table remembers and nobody uses, with a reference; NULL: there is none. */
static inode_t *
remembered(inode_table_t *table)
{
    uuid_t gfid = {0};

    pthread_mutex_lock(&table->lock);
    if (!list_empty(&table->lru))
        gf_uuid_copy(gfid, list_first_entry(&table->lru, inode_t, list)->gfid);
    pthread_mutex_unlock(&table->lock);
    return gf_uuid_is_null(gfid) ? NULL : inode_find(table, gfid);
}

static void
forget(inode_table_t *table)
{
    inode_t *inode;

    while ((inode = remembered(table))) {
        inode_forget(inode, 0); /* by all who have looked it up */
        inode_unref(inode);
    }
}

int32_t
ground_ipc(call_frame_t *frame, xlator_t *this, int32_t op, dict_t *xdata)
{
    xlator_t *top = this->graph ? this->graph->top : NULL;
    dict_t *said = NULL;

    if ((op != GROUND_FORGET && op != GROUND_INVENTORY) || !top || !top->itable) {
        STACK_UNWIND_STRICT(ipc, frame, -1, EOPNOTSUPP, NULL);
        return 0;
    }
    if (op == GROUND_FORGET)
        forget(top->itable);
    else
        said = ground_inventory(top->itable);
    STACK_UNWIND_STRICT(ipc, frame, 0, 0, said);
    if (said)
        dict_unref(said);
    return 0;
}

static int32_t
init(xlator_t *this)
{
    if (!this->children)
        return 0;
    this->fops = &ground_caller_fops;
    return ground_callers_init(this);
}

static void
fini(xlator_t *this)
{
    if (this->children && this->private)
        ground_callers_fini(this);
}

static int
notify(xlator_t *this, int32_t event, void *data, ...)
{
    if (this->children)
        return ground_caller_notify(this, event, data);
    if (event == GF_EVENT_PARENT_UP)
        return default_notify(this, GF_EVENT_CHILD_UP, data);
    if (event == GF_EVENT_PARENT_DOWN)
        return default_notify(this, GF_EVENT_CHILD_DOWN, data); /* glfs_fini() waits for it */
    return 0;
}

/* Types of memory that any layer of GlusterFS's may have of its own. */
#define OTHERS_TYPES 128

/* Where a client goes, gf_client_disconnect() calls all layers with THIS as it is, ours, and what features/locks allocates then is
 * noted here, by a type that we have not. GlusterFS does not look whether there is room for it. */
static int32_t
mem_acct_init(xlator_t *this)
{
    return xlator_mem_acct_init(this, gf_common_mt_end + OTHERS_TYPES);
}

static struct xlator_cbks cbks;
static struct volume_options options[] = {{.key = {NULL}}};

__attribute__((visibility("default"))) xlator_api_t xlator_api = {
    .identifier = "glupy-ground",
    .category = GF_TECH_PREVIEW,
    .op_version = {1},
    .init = init,
    .fini = fini,
    .mem_acct_init = mem_acct_init,
    .notify = notify,
    .fops = &ground_fops,
    .cbks = &cbks,
    .options = options,
};
