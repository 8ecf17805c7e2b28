/* Run when the build is configured: do GlusterFS's headers, under our flags, describe the libglusterfs that is installed?
 *
 * The headers take macros from a config.h that no package ships. Some of them add or drop structure members, and none of
 * that shows at compile time: a wrong one corrupts memory at the first wind. So this program lets libglusterfs itself
 * make one object of every structure that we touch, and looks whether the values it must have put there (list heads that
 * point to themselves, reference counts, back pointers, sizes) stand where our headers say. It prints nothing but
 * complaints, one a line, and exits 1 with the first structure that does not fit: those after it are made of it. */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glusterfs/xlator.h>
#include <glusterfs/call-stub.h>
#include <glusterfs/client_t.h>
#include <glusterfs/dict.h>
#include <glusterfs/fd.h>
#include <glusterfs/gf-dirent.h>
#include <glusterfs/globals.h>
#include <glusterfs/inode.h>
#include <glusterfs/iobuf.h>
#include <glusterfs/stack.h>
#include <glusterfs/statedump.h>
#include <glusterfs/syncop.h>

/* Room behind what we allocate ourselves: a library that thinks it larger must not write over the heap before we say so.
 * With the right layout nothing touches it. */
#define SLACK 4096

#define LIMIT 1000

static const char *looking_at = "the program's start";
static int misfits;

static void
fits(bool right, const char *field)
{
    if (right)
        return;
    misfits++;
    fprintf(stderr, "layout probe: %s: `%s' does not hold\n", looking_at, field);
}

#define FITS(condition) fits(condition, #condition)

static bool
points_to_itself(const struct list_head *head)
{
    return head->next == head && head->prev == head;
}

/* A pointer misread through a wrong layout crashes: that is an answer too. */
static void
crashed(int signal_number)
{
    static const char text[] = "layout probe: crashed looking at ";
    (void)signal_number;
    if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0 || write(STDERR_FILENO, looking_at, strlen(looking_at)) < 0 ||
        write(STDERR_FILENO, "\n", 1) < 0)
        _exit(3);
    _exit(1);
}

static void
catch_crashes(void)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
        signal(fatal[i], crashed);
    alarm(30); /* a lock misread never comes free */
    signal(SIGALRM, crashed);
}

/* glusterfs_ctx_t. cmd_args_t stands at its head, so a member missing there (GF_LINUX_HOST_OS) shifts all the rest. */
static glusterfs_ctx_t *
probe_ctx(void)
{
    glusterfs_ctx_t *ctx = glusterfs_ctx_new();
    char name[256] = "";

    FITS(ctx != NULL);
    FITS(gethostname(name, sizeof(name) - 1) == 0);
    FITS(points_to_itself(&ctx->graphs));
    FITS(points_to_itself(&ctx->mempool_list));
    FITS(ctx->daemon_pipe[0] == -1 && ctx->daemon_pipe[1] == -1);
    FITS(points_to_itself(&ctx->volfile_list)); /* the statistics before it are atomics */
    FITS(ctx->pool == NULL && ctx->measure_latency == 0);
    if (misfits == 0)
        FITS(strcmp(ctx->hostname, name) == 0);
    return ctx;
}

/* What the dynamic linker knows of an object in a library: its size there, 0 if it cannot tell. */
static size_t
size_in_library(const void *address)
{
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    if (!dladdr1(address, &info, (void **)&symbol, RTLD_DL_SYMENT) || symbol == NULL)
        return 0;
    return symbol->st_size;
}

/* xlator_t, on the one xlator that is a variable of the library: `global', which is THIS outside of any graph. */
static void
probe_xlator(glusterfs_ctx_t *ctx)
{
    xlator_t *global;

    FITS(glusterfs_globals_init(ctx) == 0);
    global = THIS;
    FITS(size_in_library(global) == sizeof(xlator_t));
    FITS(strcmp(global->name, "glusterfs") == 0 && strcmp(global->type, "global") == 0);
    FITS(global->volume_options.next != NULL && global->volume_options.next->prev == &global->volume_options);
    if (misfits > 0)
        return;
    global->ctx = ctx;
    FITS(xlator_mem_acct_init(global, gf_common_mt_end + 1) == 0);
    FITS(global->mem_acct != NULL); /* stands behind the statistics, which are atomics */
}

/* struct mem_pool. Written by the library, in a list of the context's. */
static struct mem_pool *
probe_mem_pool(glusterfs_ctx_t *ctx, unsigned long size, const char *name)
{
    struct mem_pool *pool = mem_pool_new_fn(ctx, size, LIMIT, (char *)name);

    FITS(pool != NULL && pool->sizeof_type == size);
    FITS(pool->ctx == ctx && strcmp(pool->name, name) == 0);
    FITS(ctx->mempool_list.next == &pool->owner || ctx->mempool_list.prev == &pool->owner);
    FITS(pool->pool != NULL);
    return pool;
}

static void
probe_mem_pools(glusterfs_ctx_t *ctx)
{
    void *object;

    ctx->dict_pool = probe_mem_pool(ctx, sizeof(dict_t) + SLACK, "dict_t");
    ctx->dict_data_pool = probe_mem_pool(ctx, sizeof(data_t) + SLACK, "data_t");
#if GF_GLUSTER_SERIES < 11
    ctx->dict_pair_pool = probe_mem_pool(ctx, sizeof(data_pair_t) + SLACK, "data_pair_t");
    ctx->stub_mem_pool = probe_mem_pool(ctx, sizeof(call_stub_t) + SLACK, "call_stub_t");
#endif
    ctx->logbuf_pool = probe_mem_pool(ctx, sizeof(log_buf_t) + SLACK, "log_buf_t");
    if (misfits > 0)
        return;
    object = mem_get0(ctx->dict_pool); /* fails to link where the library was built without pools (tcmalloc) */
    FITS(object != NULL && GF_ATOMIC_GET(ctx->dict_pool->active) == 1);
    mem_put(object);
    FITS(GF_ATOMIC_GET(ctx->dict_pool->active) == 0);
}

/* dict_t and data_t, and struct iatt by the length that the library stores for one. */
static void
probe_dict(void)
{
    static struct iatt attributes;
    dict_t *dict = dict_new();
    data_t *value;

    FITS(dict != NULL && GF_ATOMIC_GET(dict->refcount) == 1);
    FITS(dict->count == 0 && dict->members_list == NULL);
    if (misfits > 0)
        return;
    dict_ref(dict);
    FITS(GF_ATOMIC_GET(dict->refcount) == 2);
    FITS(dict_set_iatt(dict, (char *)"iatt", &attributes, true) == 0);
    FITS(dict->count == 1 && dict->members_list != NULL && strcmp(dict->members_list->key, "iatt") == 0);
    if (misfits > 0)
        return;
    value = dict->members_list->value;
    FITS(value->data == (char *)&attributes && GF_ATOMIC_GET(value->refcount) == 1);
    FITS(value->data_type == GF_DATA_TYPE_IATT && value->is_static);
    FITS(value->len == sizeof(struct iatt));
    dict_unref(dict);
    dict_unref(dict);
}

/* A translator of our own making for the objects that belong to one; xlator_t has been looked at by then. */
static xlator_t *
make_xlator(glusterfs_ctx_t *ctx)
{
    xlator_t *xl = calloc(1, sizeof(*xl) + SLACK);
    glusterfs_graph_t *graph = calloc(1, sizeof(*graph) + SLACK);

    xl->name = (char *)"probe";
    xl->type = (char *)"debug/probe";
    xl->ctx = ctx;
    xl->graph = graph;
    graph->xl_count = 1;
    graph->top = graph->first = xl;
    return xl;
}

static inode_table_t *
probe_inode_table(xlator_t *xl)
{
    inode_table_t *table = inode_table_new(LIMIT, xl, 0, 0);

    FITS(table != NULL && table->xl == xl && table->lru_limit == LIMIT);
    FITS(strcmp(table->name, "probe/inode") == 0);
    FITS(points_to_itself(&table->purge) && points_to_itself(&table->invalidate));
    FITS(table->root != NULL && table->lru_size + table->active_size == 1);
    FITS(table->fd_mem_pool->sizeof_type == sizeof(fd_t));
#if GF_GLUSTER_SERIES < 11
    FITS(table->inode_pool->sizeof_type == sizeof(inode_t));
    FITS(table->dentry_pool->sizeof_type == sizeof(dentry_t));
#endif
    return table;
}

static inode_t *
probe_inode(inode_table_t *table)
{
    static const unsigned char root_gfid[16] = {[15] = 1};
    inode_t *root = table->root;
    inode_t *inode = inode_new(table);

    FITS(root->table == table && root->ia_type == IA_IFDIR);
    FITS(memcmp(root->gfid, root_gfid, sizeof(root_gfid)) == 0);
    FITS(inode != NULL && inode->table == table && inode->ref == 1);
    FITS(GF_ATOMIC_GET(inode->nlookup) == 0);
    FITS(points_to_itself(&inode->fd_list) && points_to_itself(&inode->dentry_list) && points_to_itself(&inode->hash));
    FITS(table->active.next == &inode->list || table->active.prev == &inode->list);
    return inode;
}

static void
probe_fd(inode_t *inode)
{
    fd_t *fd = fd_create(inode, 4711);

    FITS(fd != NULL && fd->inode == inode && fd->pid == 4711);
    FITS(GF_ATOMIC_GET(fd->refcount) == 1);
    FITS(points_to_itself(&fd->inode_list));
    FITS(fd->_ctx != NULL && fd->lk_ctx != NULL && fd->xl_count == 2 && !fd->anonymous);
    fd_unref(fd);
}

static void
probe_loc(inode_t *inode)
{
    loc_t source = {.path = "/a/name", .inode = inode, .parent = inode, .gfid = {1}, .pargfid = {2}};
    loc_t copy = {0};

    source.name = source.path + 3;
    FITS(loc_copy(&copy, &source) == 0);
    FITS(copy.path != NULL && strcmp(copy.path, "/a/name") == 0);
    FITS(copy.name != NULL && strcmp(copy.name, "name") == 0);
    FITS(copy.inode == inode && copy.parent == inode && inode->ref == 3);
    FITS(copy.gfid[0] == 1 && copy.pargfid[0] == 2);
    loc_wipe(&copy);
}

static void
probe_iobuf(void)
{
    struct iobuf_pool *pool = iobuf_pool_new();
    struct iobuf *small = iobuf_get2(pool, 512);
    struct iobuf *large = iobuf_get2(pool, 1024 * 1024); /* from an arena; the small one is not */
    struct iobref *iobref = iobref_new();

    FITS(small != NULL && GF_ATOMIC_GET(small->ref) == 1);
    FITS(small->ptr != NULL && small->page_size == 512 && small->iobuf_arena == NULL);
    FITS(large != NULL && GF_ATOMIC_GET(large->ref) == 1);
    FITS(large->page_size == 1024 * 1024 && large->iobuf_arena != NULL && large->iobuf_arena->iobuf_pool == pool);
    FITS(large->iobuf_arena->active_list.next == &large->list && large->iobuf_arena->active_cnt == 1);
    FITS(iobref != NULL && GF_ATOMIC_GET(iobref->ref) == 1 && iobref->used == 0);
    if (misfits > 0)
        return;
    FITS(iobref_add(iobref, large) == 0);
    FITS(iobref->used == 1 && iobref->allocated >= 1 && iobref->iobrefs[0] == large);
    FITS(GF_ATOMIC_GET(large->ref) == 2);
}

/* call_pool_t, call_stack_t, call_frame_t. The pool is the host's to make, so it is made here as glusterfsd does. */
static call_frame_t *
probe_frame(xlator_t *xl, glusterfs_ctx_t *ctx)
{
    call_pool_t *pool = calloc(1, sizeof(*pool) + SLACK);
    call_frame_t *frame;

    pool->frame_mem_pool = mem_pool_new_fn(ctx, sizeof(call_frame_t) + SLACK, LIMIT, (char *)"call_frame_t");
    pool->stack_mem_pool = mem_pool_new_fn(ctx, sizeof(call_stack_t) + SLACK, LIMIT, (char *)"call_stack_t");
    INIT_LIST_HEAD(&pool->all_frames);
    LOCK_INIT(&pool->lock);
    ctx->pool = pool;
    frame = create_frame(xl, pool);
    FITS(frame != NULL && frame->this == xl && frame->root != NULL && frame->local == NULL);
    FITS(pool->cnt == 1 && GF_ATOMIC_GET(pool->total_count) == 1);
    if (misfits > 0)
        return NULL;
    FITS(frame->root->pool == pool && frame->root->ctx == ctx);
    FITS(frame->root->myframes.next == &frame->frames && frame->root->myframes.prev == &frame->frames);
    FITS(pool->all_frames.next == &frame->root->all_frames);
    return frame;
}

static int
resumed(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata)
{
    (void)frame, (void)this, (void)loc, (void)xdata;
    return 0;
}

static void
probe_call_stub(call_frame_t *frame, inode_t *inode)
{
    loc_t loc = {.path = "/name", .inode = inode};
    call_stub_t *stub = fop_lookup_stub(frame, resumed, &loc, NULL);

    FITS(stub != NULL && stub->frame == frame && stub->fop == GF_FOP_LOOKUP && stub->wind);
    FITS(stub->fn.lookup == resumed && stub->args.loc.inode == inode);
}

/* client_t: who a brick answers, seen through frame->root->client. */
static void
probe_client(xlator_t *xl)
{
    client_auth_data_t credentials = {0};
    client_t *client;

    xl->ctx->clienttable = gf_clienttable_alloc();
    client = gf_client_get(xl, &credentials, (char *)"a-client", (char *)"/subdir");
    FITS(client != NULL && client->this == xl);
    FITS(GF_ATOMIC_GET(client->bind) == 1 && GF_ATOMIC_GET(client->count) == 1);
    FITS(strcmp(client->client_uid, "a-client") == 0); /* a pointer in 10, an array in 11 */
    FITS(client->subdir_mount != NULL && strcmp(client->subdir_mount, "/subdir") == 0);
}

static void
probe_dirent(void)
{
    gf_dirent_t *entry = gf_dirent_for_name("an-entry");

    FITS(entry != NULL && points_to_itself(&entry->list));
    FITS(strcmp(entry->d_name, "an-entry") == 0);
}

static int
in_synctask(void *opaque)
{
    struct synctask *task = synctask_get();

    FITS(task != NULL && task->opaque == opaque && task->syncfn == in_synctask);
    FITS(task->state == SYNCTASK_RUN && task->ret == 0 && task->done == 0);
    FITS(task->proc != NULL && pthread_equal(task->proc->processor, pthread_self()));
    return 42;
}

/* struct synctask, from within one: its macros are those of the sanitizers and of valgrind. */
static void
probe_synctask(glusterfs_ctx_t *ctx)
{
    int argument = 0;

    ctx->env = syncenv_new(0, 1, 1);
    FITS(ctx->env != NULL);
    if (misfits == 0)
        FITS(synctask_new(ctx->env, in_synctask, NULL, NULL, &argument) == 42);
}

/* Names what is looked at next; leaves when what came before does not fit. */
static void
look_at(const char *what)
{
    if (misfits > 0)
        _exit(1);
    looking_at = what;
}

int
main(void)
{
    glusterfs_ctx_t *ctx;
    xlator_t *xl;
    inode_table_t *table;
    inode_t *inode;
    call_frame_t *frame;

    catch_crashes();
    look_at("glusterfs_ctx_t (macros GF_LINUX_HOST_OS, HAVE_ATOMIC_BUILTINS?)");
    ctx = probe_ctx();
    look_at("xlator_t (macro HAVE_ATOMIC_BUILTINS?)");
    probe_xlator(ctx);
    look_at("struct mem_pool (macros HAVE_ATOMIC_BUILTINS, DEBUG, GF_DISABLE_MEMPOOL?)");
    probe_mem_pools(ctx);
    look_at("dict_t, data_t, struct iatt (macro HAVE_ATOMIC_BUILTINS?)");
    probe_dict();
    look_at("inode_table_t");
    xl = make_xlator(ctx);
    table = probe_inode_table(xl);
    look_at("inode_t (macro HAVE_ATOMIC_BUILTINS?)");
    inode = probe_inode(table);
    look_at("fd_t (macro HAVE_ATOMIC_BUILTINS?)");
    probe_fd(inode);
    look_at("loc_t");
    probe_loc(inode);
    look_at("struct iobuf, struct iobref (macro HAVE_ATOMIC_BUILTINS?)");
    probe_iobuf();
    look_at("call_pool_t, call_stack_t, call_frame_t (macro HAVE_ATOMIC_BUILTINS?)");
    frame = probe_frame(xl, ctx);
    look_at("call_stub_t");
    probe_call_stub(frame, inode);
    look_at("client_t (macro HAVE_ATOMIC_BUILTINS?)");
    probe_client(xl);
    look_at("gf_dirent_t");
    probe_dirent();
    look_at("struct synctask (macros HAVE_TSAN_API, HAVE_ASAN_API, HAVE_VALGRIND_API?)");
    probe_synctask(ctx);
    look_at("the program's end");
    _exit(0); /* the synctask's threads and the library's have no orderly end */
}
