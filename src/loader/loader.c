/* glupy.so: the translator that GlusterFS loads. It starts Python, imports glupy._core, and hands over to it.
 *
 * GlusterFS loads and unloads translators more often than it uses them (every changed volfile is tried on a second
 * graph): nothing happens here before init(). */
#include <glusterfs/defaults.h>
#include <glusterfs/xlator.h>

#include "python.h"

static const struct glupy_core_api *core;

static int32_t
init(xlator_t *this)
{
    const struct glupy_core_api *started = glupy_python_start(this);

    if (!started)
        return -1;
    core = started;
    return core->init(this);
}

static void
fini(xlator_t *this)
{
    if (core)
        core->fini(this);
}

static int32_t
notify(xlator_t *this, int32_t event, void *data, ...)
{
    return core ? core->notify(this, event, data) : default_notify(this, event, data);
}

/* Options are read as text and checked by glupy itself, so that a bad one gets a sentence instead of a brick that does
 * not come up; never failing here is what keeps a live volume alive. */
static int32_t
reconfigure(xlator_t *this, dict_t *options)
{
    return core ? core->reconfigure(this, options) : 0;
}

/* Statedumps, and .meta/graphs/active/NAME/private on a mount. */
static int32_t
dump_private(xlator_t *this)
{
    return core ? core->dump_private(this) : 0;
}

static struct xlator_dumpops dumpops = {.priv = dump_private};

static int32_t
dump_metrics(xlator_t *this, int fd)
{
    return core ? core->dump_metrics(this, fd) : 0;
}

/* GlusterFS takes this table as the start of each instance's; init() gives every instance one of its own. */
static struct xlator_fops fops;

static struct xlator_cbks cbks;

static struct volume_options options[] = {
    {.key = {NULL}},
};

/* Not const: see version.c. Room for the layout of every series. */
__attribute__((visibility("default"))) union {
    xlator_api_t api;
    char room[256];
} xlator_api = {
    .api =
        {
            .init = init,
            .fini = fini,
            .reconfigure = reconfigure,
            .notify = notify,
            .dumpops = &dumpops,
            .dump_metrics = dump_metrics,
            .fops = &fops,
            .cbks = &cbks,
            .options = options,
            .identifier = "glupy",
            .category = GF_TECH_PREVIEW,
        },
};
