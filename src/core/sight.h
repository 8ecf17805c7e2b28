/* Where GlusterFS, and through it an administrator, asks what an instance does: statedumps and .meta, the metrics file, a
 * virtual extended attribute. None of this waits for the interpreter. */
#ifndef GLUPY_SIGHT_H
#define GLUPY_SIGHT_H

#include "instance.h"

int32_t glupy_sight_dump_private(xlator_t *this);
int32_t glupy_sight_dump_metrics(xlator_t *this, int fd);

/* Put our getxattr and fgetxattr into the instance's table; what stood there is called for all other names. */
void glupy_sight_take_slots(struct glupy_instance *instance);

/* Where the function for a fop is to be put from then on: its slot in the instance's table, or what stands beneath ours. */
void **glupy_sight_slot(struct glupy_instance *instance, const struct glupy_fop *fop);

/* While it is barred, nobody looks at any instance. For whoever takes one away; the interpreter may be held. */
void glupy_sight_bar(void);
void glupy_sight_unbar(void);

#endif
