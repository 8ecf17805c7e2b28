/* Starting Python in a process of GlusterFS's, once. */
#ifndef GLUPY_LOADER_PYTHON_H
#define GLUPY_LOADER_PYTHON_H

#include "core_api.h"

/* Python runs, or is started, and glupy._core is imported: its table. NULL, with the reason in the log, otherwise. */
const struct glupy_core_api *glupy_python_start(xlator_t *this);

/* The folder that this shared object really lies in, links resolved; NULL without memory. To be freed. */
char *glupy_own_folder(void);

#endif
