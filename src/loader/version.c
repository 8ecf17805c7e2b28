/* Refusing to work in a GlusterFS of another series than the one this object was built for.
 *
 * xlator_api_t itself differs between the series: GlusterFS would take the wrong functions out of it, and there would be
 * no init() left to refuse in. So the check comes when the object is loaded: in the wrong place, the api is replaced by
 * one in the layout of that place whose init() says what is wrong. This is the only thing done at load. */
#include <dlfcn.h>
#include <glusterfs/logging.h>
#include <glusterfs/xlator.h>

/* Where the members lie in xlator_api_t. */
static const struct {
    long series;
    size_t init, fops;
} layouts[] = {
    {10, 48, 96},
    {11, 40, 88},
};

/* As loader.c defines it. */
extern union {
    xlator_api_t api;
    char room[256];
} xlator_api;

static char found[32];
static void *no_fops[256]; /* struct xlator_fops of any series; GlusterFS fills it with its defaults */

static int32_t
refuse(xlator_t *this)
{
    /* Of this foreign xlator_t only the name, its first member everywhere, is touched. */
    _gf_msg(*(char **)this, __FILE__, __func__, __LINE__, GF_LOG_ERROR, 0, 0, 0,
            "this glupy was built for GlusterFS %s and is loaded by GlusterFS %s: install the glupy for it",
            GLUPY_GLUSTER_VERSION, found);
    return -1;
}

/* GlusterFS loads translators from …/glusterfs/VERSION/xlator/…: the path we were loaded by tells its version. */
static long
running_series(void)
{
    Dl_info info;
    const char *at;

    if (!dladdr((void *)refuse, &info) || !(at = strstr(info.dli_fname, "/glusterfs/")))
        return GF_GLUSTER_SERIES;
    snprintf(found, sizeof(found), "%s", at + strlen("/glusterfs/"));
    if (strchr(found, '/'))
        *strchr(found, '/') = '\0';
    return strtol(found, NULL, 10);
}

__attribute__((constructor)) static void
check_series(void)
{
    long series = running_series();
    unsigned known = 0;

    if (series == GF_GLUSTER_SERIES || series == 0)
        return;
    while (known + 1 < sizeof(layouts) / sizeof(layouts[0]) && layouts[known].series < series)
        known++;
    memset(&xlator_api, 0, sizeof(xlator_api));
    *(void **)(xlator_api.room + layouts[known].init) = (void *)refuse;
    *(void **)(xlator_api.room + layouts[known].fops) = no_fops;
}

_Static_assert(offsetof(xlator_api_t, init) == (GF_GLUSTER_SERIES == 10 ? 48 : 40) &&
                   offsetof(xlator_api_t, fops) == (GF_GLUSTER_SERIES == 10 ? 96 : 88),
               "version.c: xlator_api_t is not laid out as its table of layouts says");
