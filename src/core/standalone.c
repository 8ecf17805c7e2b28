/* The global GlusterFS context of a process that has none: unit tests, editors, the command line tools.
 *
 * libgfapi keeps such a context too, next to the one it makes for each volume (glfs_init_global_ctx in api/src/glfs.c),
 * under the same mutex and in the same variables. Whoever comes first creates it and nobody ever frees it, so both can
 * live in one process in either order. No thread is started: the program may still want to fork. */
#include "standalone.h"

#include "base/gluster.h"

extern pthread_mutex_t global_ctx_mutex; /* libglusterfs exports it, no header declares it */

/* A figure for statedumps; a pool grows and shrinks as it is used. */
#define POOL_COUNT 1024

/* The pools that dict.c and logging.c take from. */
static int
create_pools(glusterfs_ctx_t *ctx)
{
    ctx->iobuf_pool = iobuf_pool_new();
    ctx->dict_pool = mem_pool_new(dict_t, POOL_COUNT);
    ctx->dict_data_pool = mem_pool_new(data_t, POOL_COUNT);
    ctx->logbuf_pool = mem_pool_new(log_buf_t, POOL_COUNT);
    if (!ctx->iobuf_pool || !ctx->dict_pool || !ctx->dict_data_pool || !ctx->logbuf_pool)
        return -1;
#if GF_GLUSTER_SERIES == 10
    ctx->dict_pair_pool = mem_pool_new(data_pair_t, POOL_COUNT);
    return ctx->dict_pair_pool ? 0 : -1;
#else
    return 0;
#endif
}

/* Called with THIS the global xlator. What a failure leaves behind stays: the process is out of memory. */
static int
create_context(void)
{
    glusterfs_ctx_t *ctx = glusterfs_ctx_new();

    if (!ctx || glusterfs_globals_init(ctx) != 0)
        return -1;
    /* Silent, as libgfapi's: errors come back as codes, and there is no log file to write to. */
    gf_log_set_loglevel(ctx, GF_LOG_NONE);
    ctx->log.gf_log_syslog = 0;
    ctx->page_size = 128 * GF_UNIT_KB;
    INIT_LIST_HEAD(&ctx->cmd_args.xlator_options);
    INIT_LIST_HEAD(&ctx->cmd_args.volfile_servers);
    global_ctx = ctx;
    global_xlator.ctx = ctx;
    if (xlator_mem_acct_init(&global_xlator, gf_common_mt_end + 1) != 0 || create_pools(ctx) != 0) {
        global_ctx = NULL;
        global_xlator.ctx = NULL;
        return -1;
    }
    return 0;
}

int
glupy_standalone(void)
{
    xlator_t *this = THIS;
    int ret = 0;

    if (this->ctx)
        return 0;
    pthread_mutex_lock(&global_ctx_mutex);
    THIS = &global_xlator;
    if (!global_xlator.ctx)
        ret = create_context();
    THIS = this;
    pthread_mutex_unlock(&global_ctx_mutex);
    return ret;
}
