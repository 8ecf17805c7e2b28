/* What is in use of an inode table: see ground.h. */
#include "ground.h"

/* An inode in use has its array, which is a part of it since GlusterFS 11. */
static unsigned
contexts(inode_t *inode)
{
    unsigned count = 0;

    for (int i = 0; i < (int)inode->table->ctxcount; i++)
        count += inode->_ctx[i].xl_key != NULL;
    return count;
}

/* One inode, as text. Its name may hold anything, and stands last. */
static void
tell(dict_t *said, unsigned number, inode_t *inode)
{
    const char *name = "";
    char key[16], *value;
    int failed;

    if (!list_empty(&inode->dentry_list))
        name = list_first_entry(&inode->dentry_list, dentry_t, inode_list)->name;
    snprintf(key, sizeof(key), "%u", number);
    if (gf_asprintf(&value, "%s %u %u %s", uuid_utoa(inode->gfid), inode->fd_count, contexts(inode), name) < 0)
        return;
    failed = dict_set_dynstr(said, key, value);
    if (failed)
        GF_FREE(value);
}

dict_t *
ground_inventory(inode_table_t *table)
{
    dict_t *said = dict_new();
    unsigned number = 0;
    inode_t *inode;

    if (!said)
        return NULL;
    pthread_mutex_lock(&table->lock);
    list_for_each_entry(inode, &table->active, list)
    {
        tell(said, number++, inode);
    }
    pthread_mutex_unlock(&table->lock);
    return said;
}
