/* Objects that hold something of a graph's inode table. See holders.h. */
#include "holders.h"

#include "types/types.h"

inode_table_t *
glupy_table_of(const struct glupy_kind *kind, PyObject *object)
{
    inode_t *inode = NULL;

    if (object == Py_None)
        return NULL;
    if (kind == &glupy_kind_loc)
        inode = ((struct glupy_loc *)object)->loc->inode;
    else if (kind == &glupy_kind_fd && ((struct glupy_reference *)object)->fd)
        inode = ((struct glupy_reference *)object)->fd->inode;
    return inode ? inode->table : NULL;
}

inode_t *
glupy_first_inode(const struct glupy_fop *fop, PyObject *const *args)
{
    for (unsigned i = 0; i < fop->nargs; i++)
        if (fop->args[i].kind == &glupy_kind_loc && args[i] && args[i] != Py_None)
            return ((struct glupy_loc *)args[i])->loc->inode;
    return NULL;
}

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
