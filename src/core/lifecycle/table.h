/* The table of fops that an xlator_t of ours has for itself: what the class does not define keeps GlusterFS's default, and so
 * never enters our code. */
#ifndef GLUPY_TABLE_H
#define GLUPY_TABLE_H

#include "instance/instance.h"

/* Functions that a room above puts over some slots of each table, to answer some calls by itself (report/sight.c). */
struct glupy_cover {
    /* A table has been made. */
    void (*take)(struct glupy_instance *instance);
    /* What stands beneath the cover and is called by it, or NULL where it does not cover that fop. */
    void **(*slot)(struct glupy_instance *instance, const struct glupy_fop *fop);
};

/* Said once, by module.c, before there is any table. */
void glupy_table_cover(const struct glupy_cover *cover);

/* Give an instance that has its methods its table. 0, or -1 with an exception. Attached. */
int glupy_table_make(struct glupy_instance *self);

/* Another version of the class is in force than that of these handlers: fops that only one of the two defines change their
 * slots. As above. */
void glupy_table_follow(struct glupy_instance *self, const struct glupy_handlers *before, bool in);

/* Let the fops of the class into Python, or past it: each slot of the instance's own table gets glupy's dispatcher, or
 * GlusterFS's default. Atomic for each; what is inside goes on. Attached. */
void glupy_table_let_in(struct glupy_instance *self, bool in);

#endif
