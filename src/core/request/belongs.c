/* What belongs to which graph. See belongs.h. */
#include "request/belongs.h"

#include "instance/context.h"
#include "values/types/types.h"

bool
glupy_belongs_child(struct glupy_instance *instance, struct glupy_child *child)
{
    xlator_t *this;

    if (child->instance == instance)
        return true;
    this = glupy_instance_alive(instance);
    if (!this)
        return false;
    if (this->graph == child->xlator->graph)
        return true;
    PyErr_Format(PyExc_ValueError, "the child %s belongs to another graph than %s, which winds to it", child->xlator->name,
                 this->name);
    return false;
}

/* Is it the table that this instance has seen, or another one in which the xlator has a place? */
static bool
fits(struct glupy_instance *instance, xlator_t *xlator, const inode_table_t *table)
{
    return table == instance->table ||
           (!glupy_table_ends(instance->state, table) && glupy_context_has_slot(xlator, table));
}

/* An argument that points into an inode table. */
static bool
fits_child(struct glupy_child *child, const struct glupy_fop *fop, unsigned i, const inode_table_t *table)
{
    if (fits(child->instance, child->xlator, table))
        return true;
    PyErr_Format(PyExc_ValueError, "%s(): %s: this %s belongs to another graph than %s, which it would be wound to",
                 fop->name, fop->args[i].name, fop->args[i].kind->name, child->xlator->name);
    return false;
}

static bool
loc_fits(struct glupy_child *child, const struct glupy_fop *fop, unsigned i, PyObject *object, inode_table_t **table)
{
    loc_t *loc = ((struct glupy_loc *)object)->loc;

    if (((struct glupy_loc *)object)->gone)
        return glupy_loc_alive(object);
    if (loc->inode && loc->parent && loc->inode->table != loc->parent->table) {
        PyErr_Format(PyExc_ValueError, "%s(): %s: inode and parent of this Loc belong to different inode tables", fop->name,
                     fop->args[i].name);
        return false;
    }
    if (!loc->inode && !loc->parent)
        return true;
    *table = loc->inode ? loc->inode->table : loc->parent->table;
    return fits_child(child, fop, i, *table);
}

static bool
fd_fits(struct glupy_child *child, const struct glupy_fop *fop, unsigned i, PyObject *object, inode_table_t **table)
{
    fd_t *fd = glupy_fd_alive(object);

    if (!fd)
        return false;
    *table = fd->inode->table;
    return fits_child(child, fop, i, *table);
}

bool
glupy_belongs_args(struct glupy_child *child, const struct glupy_fop *fop, PyObject *const *args, inode_table_t **table)
{
    bool fine = true;

    *table = NULL;
    for (unsigned left = fop->places; fine && left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);

        if (args[i] == Py_None)
            continue;
        fine = fop->args[i].kind == &glupy_kind_loc ? loc_fits(child, fop, i, args[i], table)
                                                    : fd_fits(child, fop, i, args[i], table);
    }
    return fine;
}

bool
glupy_belongs_inode(struct glupy_instance *instance, const inode_t *inode)
{
    return fits(instance, instance->this, inode->table);
}

static bool
inode_fits(struct glupy_instance *instance, const inode_t *inode)
{
    return !inode || glupy_belongs_inode(instance, inode);
}

static bool
entries_fit(struct glupy_instance *instance, gf_dirent_t *head)
{
    gf_dirent_t *entry;

    list_for_each_entry(entry, &head->list, list)
    {
        if (!inode_fits(instance, entry->inode))
            return false;
    }
    return true;
}

static bool
field_fits(struct glupy_instance *instance, const struct glupy_kind *kind, void *value)
{
    if (kind == &glupy_kind_inode)
        return inode_fits(instance, *(inode_t **)value);
    if (kind == &glupy_kind_fd)
        return !*(fd_t **)value || inode_fits(instance, (*(fd_t **)value)->inode);
    return kind != &glupy_kind_dirents || entries_fit(instance, value);
}

bool
glupy_belongs_reply(struct glupy_instance *instance, const struct glupy_fop *fop, void *held)
{
    for (unsigned i = 0; i < fop->nreply; i++) {
        if (field_fits(instance, fop->reply[i].kind, glupy_held(&fop->reply[i], held)))
            continue;
        PyErr_Format(PyExc_ValueError, "%s was answered with %s of another graph", fop->name, fop->reply[i].name);
        return false;
    }
    return true;
}
