/* Tables of fops. See table.h. */
#include "lifecycle/table.h"

#include "request/calls.h"

static const struct glupy_cover *cover;

void
glupy_table_cover(const struct glupy_cover *given)
{
    cover = given;
}

/* The slot of a fop in a table. */
static void **
slot_of(const struct xlator_fops *fops, const struct glupy_fop *fop)
{
    return (void **)((char *)fops + fop->slot);
}

/* Where what is called for a fop is to be put. */
static void **
place_of(struct glupy_instance *self, const struct glupy_fop *fop)
{
    void **beneath = cover->slot(self, fop);

    return beneath ? beneath : slot_of(self->slots.own, fop);
}

/* It must be writable, since STACK_WIND stores callbacks in it. */
int
glupy_table_make(struct glupy_instance *self)
{
    self->slots.own = malloc(sizeof(*self->slots.own));
    if (!self->slots.own) {
        PyErr_NoMemory();
        return -1;
    }
    *self->slots.own = *self->this->fops;
    cover->take(self);
    self->slots.defaults = self->this->fops;
    glupy_table_let_in(self, !self->settings.disabled);
    return 0;
}

static void
store(struct glupy_instance *self, const struct glupy_fop *fop, bool in)
{
    const struct xlator_fops *from = in ? &glupy_dispatchers : self->slots.defaults;

    __atomic_store_n(place_of(self, fop), *slot_of(from, fop), __ATOMIC_RELEASE);
}

/* The slots are stored one by one, and the table stays where it is: STACK_WIND reads a fop from it and takes the fop's
 * number from the slot's place in it, in two steps. */
void
glupy_table_let_in(struct glupy_instance *self, bool in)
{
    for (unsigned i = 0; self->slots.own && i < GLUPY_FOP_COUNT; i++)
        if (self->handlers.methods[i])
            store(self, &glupy_fops[i], in);
}

void
glupy_table_follow(struct glupy_instance *self, const struct glupy_handlers *before, bool in)
{
    for (unsigned i = 0; self->slots.own && i < GLUPY_FOP_COUNT; i++)
        if (before->methods[i] || self->handlers.methods[i])
            store(self, &glupy_fops[i], in && self->handlers.methods[i]);
}
