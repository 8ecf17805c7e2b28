/* What glupy.so (src/loader) and the extension module glupy._core (src/core) say to each other. The loader is what
 * GlusterFS loads; it starts Python, imports the module and finds this table in the capsule of GLUPY_CORE_CAPSULE. */
#ifndef GLUPY_CORE_API_H
#define GLUPY_CORE_API_H

#include <glusterfs/xlator.h>

#define GLUPY_CORE_CAPSULE "glupy._core._loader_api"
#define GLUPY_CORE_API_VERSION 2

struct glupy_core_api {
    unsigned version;
    const char *gluster_version; /* that the module was built for */

    /* The body of Python's main thread: never returns. Not attached to the interpreter. */
    void (*serve)(void);

    /* xlator_t's own. They may be called on any thread and do their Python work on the main thread. */
    int32_t (*init)(xlator_t *this);
    void (*fini)(xlator_t *this);

    int32_t (*notify)(xlator_t *this, int32_t event, void *data);

    /* xlator_dumpops.priv and xlator_api_t.dump_metrics; neither waits for the interpreter. */
    int32_t (*dump_private)(xlator_t *this);
    int32_t (*dump_metrics)(xlator_t *this, int fd);
    int32_t (*reconfigure)(xlator_t *this, dict_t *options);
};

#endif
