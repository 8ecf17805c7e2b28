/* Where GlusterFS, and through it an administrator, asks what an instance does: statedumps and .meta, the metrics file, a
 * virtual extended attribute. None of this waits for the interpreter. */
#ifndef GLUPY_SIGHT_H
#define GLUPY_SIGHT_H

#include "lifecycle/table.h"

int32_t glupy_sight_dump_private(xlator_t *this);
int32_t glupy_sight_dump_metrics(xlator_t *this, int fd);

/* Our getxattr and fgetxattr in instances' tables; what stood there is called for all other names. */
extern const struct glupy_cover glupy_sight_cover;

#endif
