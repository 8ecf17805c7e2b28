/* Which part of a graph a fop's arguments are about. See types/types.h. */
#include "values/types/types.h"

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
