/* Python's main thread calls all hooks, one after another. Where one does not return, those who wait for their turn say so. */
#ifndef GLUPY_STUCK_H
#define GLUPY_STUCK_H

#include "base/gluster.h"

/* An error of this translator's: what comes of it that the main thread is busy (a sentence's end, "so ..."), whose hook it is at
 * and since when, and where that stands in Python. Not attached. */
__attribute__((format(printf, 2, 3))) void glupy_stuck_say(xlator_t *this, const char *consequence, ...);

#endif
