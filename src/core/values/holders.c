/* Objects that hold something of a graph's inode table. See holders.h. */
#include "values/holders.h"

#include "values/drops.h"

void
glupy_holders_let_go(struct glupy_state *state, inode_table_t *table, bool alive)
{
    struct glupy_holder *holder, *next;

    list_for_each_entry_safe(holder, next, &state->holders, link)
    {
        if (holder->table != table)
            continue;
        glupy_holder_remove(holder);
        holder->let_go(holder, alive);
    }
}

struct ending {
    struct list_head link;
    const inode_table_t *table;
    const glusterfs_graph_t *graph; /* only to be compared */
};

static struct ending *
ending_of(struct glupy_state *state, const inode_table_t *table)
{
    struct ending *ending;

    list_for_each_entry(ending, &state->endings, link)
    {
        if (ending->table == table)
            return ending;
    }
    return NULL;
}

bool
glupy_table_ends(struct glupy_state *state, const inode_table_t *table)
{
    return ending_of(state, table) != NULL;
}

void
glupy_table_ending(struct glupy_state *state, const inode_table_t *table, const glusterfs_graph_t *graph)
{
    struct ending *ending = ending_of(state, table) ? NULL : malloc(sizeof(*ending));

    if (!ending)
        return;
    *ending = (struct ending){.table = table, .graph = graph};
    list_add(&ending->link, &state->endings);
}

void
glupy_tables_ended(struct glupy_state *state, const glusterfs_graph_t *graph)
{
    struct ending *ending, *next;

    list_for_each_entry_safe(ending, next, &state->endings, link)
    {
        if (ending->graph != graph)
            continue;
        list_del(&ending->link);
        free(ending);
    }
}

void
glupy_let_go_inode(inode_t **inode, bool alive)
{
    if (alive)
        glupy_drop_inode(*inode);
    *inode = NULL;
}

void
glupy_let_go_fd(fd_t **fd, bool alive)
{
    if (alive)
        glupy_drop_fd(*fd);
    *fd = NULL;
}
