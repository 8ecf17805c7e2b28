/* lastref: no translator, but functions that tests call by ctypes: give up a reference to an inode or fd on one of the
 * stacks that GlusterFS has, and wait until that is done. Called with the interpreter held (ctypes.PyDLL), they come back
 * only if nothing on the way waits for it. */
#include <glusterfs/xlator.h>
#include <glusterfs/fd.h>
#include <glusterfs/inode.h>
#include <glusterfs/syncop.h>

#include <pthread.h>

#define EXPORT __attribute__((visibility("default")))

struct last {
    inode_t *inode;
    fd_t *fd;
};

static void
give_up(struct last *last)
{
    if (last->fd)
        fd_unref(last->fd);
    if (last->inode)
        inode_unref(last->inode);
}

static int
in_task(void *arg)
{
    give_up(arg);
    return 0;
}

static void *
in_thread(void *arg)
{
    give_up(arg);
    return NULL;
}

static inode_table_t *
table_of(struct last *last)
{
    return (last->fd ? last->fd->inode : last->inode)->table;
}

/* 0 when done. A task without a callback is waited for. */
EXPORT int
unref_on_synctask(inode_t *inode, fd_t *fd, size_t stack)
{
    struct last last = {inode, fd};

    int failed;

    THIS = table_of(&last)->xl; /* the task's frame is made for it */
    failed = synctask_new1(THIS->ctx->env, stack, in_task, NULL, NULL, &last);
    THIS = NULL;
    return failed;
}

EXPORT int
unref_on_thread(inode_t *inode, fd_t *fd, size_t stack)
{
    struct last last = {inode, fd};
    pthread_attr_t attr;
    pthread_t thread;
    int error;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, stack);
    error = pthread_create(&thread, &attr, in_thread, &last);
    pthread_attr_destroy(&attr);
    return error ? error : pthread_join(thread, NULL);
}

EXPORT unsigned
references(inode_t *inode)
{
    return __atomic_load_n(&inode->ref, __ATOMIC_SEQ_CST);
}

EXPORT void
set_lru_limit(inode_t *inode, unsigned limit)
{
    inode_table_set_lru_limit(inode->table, limit);
}

/* GlusterFS 10 hashes by the last bytes, 11 by the first. */
static void
number_gfid(uuid_t gfid, unsigned number)
{
    unsigned swapped = htonl(number);

    memset(gfid, 0xff, sizeof(uuid_t));
    memcpy(&gfid[0], &number, sizeof(number));
    memcpy(&gfid[12], &swapped, sizeof(swapped));
}

/* Files in the root directory, with gfids made of their numbers, that nothing but the table knows. */
EXPORT void
link_many(inode_t *root, unsigned first, unsigned count)
{
    for (unsigned number = first; number < first + count; number++) {
        struct iatt buf = {.ia_type = IA_IFREG};
        inode_t *inode = inode_new(root->table);
        char name[16];

        snprintf(name, sizeof(name), "f%u", number);
        number_gfid(buf.ia_gfid, number);
        inode_unref(inode_link(inode, root, name, &buf));
        inode_lookup(inode);
        inode_unref(inode);
    }
}

EXPORT void
forget_many(inode_t *root, unsigned first, unsigned count)
{
    for (unsigned number = first; number < first + count; number++) {
        inode_t *inode;
        uuid_t gfid;

        number_gfid(gfid, number);
        inode = inode_find(root->table, gfid);
        inode_forget(inode, 0);
        inode_unref(inode);
    }
}

/* As the top of a graph does for what applications know: it then stays in the table until the limit pushes it out. */
EXPORT void
look_up(inode_t *inode)
{
    inode_lookup(inode);
}
