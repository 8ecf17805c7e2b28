/* Option patience: a request that waits for long is noted in the log, once.
 *
 * The clock's thread looks now and then; requests pay nothing for it. Who knows what waits is `look`. */
#ifndef GLUPY_PATIENCE_H
#define GLUPY_PATIENCE_H

#include <stdatomic.h>

#include "base/gluster.h"

/* In an instance. */
struct glupy_patience {
    struct list_head link;
    _Atomic uint64_t nanoseconds; /* 0: none */
    xlator_t *this;               /* whose requests they are; looked into only while it is in the list */
    /* Not attached, on the clock's thread: note what has waited for so long. NULL: nobody knows yet. */
    void (*look)(struct glupy_patience *self, uint64_t nanoseconds, uint64_t now);
};

/* An instance comes and goes; it goes before its xlator_t does. Forgetting what is not known does nothing. */
void glupy_patience_begins(struct glupy_patience *self);
void glupy_patience_forget(struct glupy_patience *self);

/* How long its requests may wait, in nanoseconds; 0: as long as they like. */
void glupy_patience_is(struct glupy_patience *self, uint64_t nanoseconds);

#endif
