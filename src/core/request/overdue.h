/* Option patience: fops that rest for long, in the log. */
#ifndef GLUPY_OVERDUE_H
#define GLUPY_OVERDUE_H

#include "observe/patience.h"

/* What struct glupy_patience of an instance has for `look`. */
void glupy_overdue_look(struct glupy_patience *patience, uint64_t nanoseconds, uint64_t now);

#endif
