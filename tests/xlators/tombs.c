/* tombs: preloaded into a process, it counts the references that somebody gives up to inodes and fds whose table GlusterFS has
 * destroyed. It remembers what a table has when inode_table_destroy() is called, and forgets it again when its memory becomes
 * another inode or fd.
 *
 * Right after a table has gone, which may be before any translator hears of it, it has Python collect its garbage. At the end
 * of the process it writes the count to the file that TOMBS names. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glusterfs/xlator.h>
#include <glusterfs/fd.h>
#include <glusterfs/inode.h>

#define EXPORT __attribute__((visibility("default")))
#define ROOM (1u << 20)

static struct {
    pthread_mutex_t lock;
    void *dead[ROOM]; /* by address, open addressing; (void *)1: was one */
    unsigned tables, buried, disturbed;
} tombs = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *
original(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (!found)
        abort();
    return found;
}

/* With the lock held: where it is, or where it would be put. */
static void **
place(void *address)
{
    size_t at = ((uintptr_t)address >> 4) * UINT64_C(0x9e3779b97f4a7c15) % ROOM;
    void **free_place = NULL;

    for (; tombs.dead[at]; at = (at + 1) % ROOM) {
        if (tombs.dead[at] == address)
            return &tombs.dead[at];
        if (tombs.dead[at] == (void *)1 && !free_place)
            free_place = &tombs.dead[at];
    }
    return free_place ? free_place : &tombs.dead[at];
}

static void
bury(void *address)
{
    *place(address) = address;
    tombs.buried++;
}

static void
revive(void *address)
{
    void **at;

    pthread_mutex_lock(&tombs.lock);
    at = place(address);
    if (address && *at == address)
        *at = (void *)1;
    pthread_mutex_unlock(&tombs.lock);
}

/* Is it dead? Then it is left in peace. */
static int
disturb(void *address)
{
    int dead;

    pthread_mutex_lock(&tombs.lock);
    dead = address && *place(address) == address;
    tombs.disturbed += dead;
    pthread_mutex_unlock(&tombs.lock);
    return dead;
}

static void
bury_list(struct list_head *head)
{
    inode_t *inode;
    fd_t *fd;

    list_for_each_entry(inode, head, list)
    {
        list_for_each_entry(fd, &inode->fd_list, inode_list)
        {
            bury(fd);
        }
        bury(inode);
    }
}

static void
collect(void)
{
    int (*initialized)(void) = dlsym(RTLD_DEFAULT, "Py_IsInitialized");
    int (*ensure)(void) = dlsym(RTLD_DEFAULT, "PyGILState_Ensure");
    void (*release)(int) = dlsym(RTLD_DEFAULT, "PyGILState_Release");
    int (*run)(const char *, void *) = dlsym(RTLD_DEFAULT, "PyRun_SimpleStringFlags");
    int state;

    if (!initialized || !ensure || !release || !run || !initialized())
        return;
    state = ensure();
    run("import gc; gc.collect()", NULL);
    release(state);
}

EXPORT void
inode_table_destroy(inode_table_t *table)
{
    void (*destroy)(inode_table_t *) = original("inode_table_destroy");

    pthread_mutex_lock(&tombs.lock);
    tombs.tables++;
    bury_list(&table->active);
    bury_list(&table->lru);
    bury_list(&table->invalidate);
    bury_list(&table->purge);
    pthread_mutex_unlock(&tombs.lock);
    destroy(table);
    collect();
}

/* A table makes its root without inode_new(). */
static inode_table_t *
begun(inode_table_t *table)
{
    if (table)
        revive(table->root);
    return table;
}

EXPORT inode_table_t *
inode_table_new(uint32_t lru_limit, xlator_t *xl, uint32_t dentries, uint32_t inodes)
{
    inode_table_t *(*make)(uint32_t, xlator_t *, uint32_t, uint32_t) = original("inode_table_new");

    return begun(make(lru_limit, xl, dentries, inodes));
}

EXPORT inode_table_t *
inode_table_with_invalidator(uint32_t lru_limit, xlator_t *xl, int32_t (*invalidator)(xlator_t *, inode_t *), xlator_t *whose,
                             uint32_t dentries, uint32_t inodes)
{
    inode_table_t *(*make)(uint32_t, xlator_t *, int32_t (*)(xlator_t *, inode_t *), xlator_t *, uint32_t, uint32_t) =
        original("inode_table_with_invalidator");

    return begun(make(lru_limit, xl, invalidator, whose, dentries, inodes));
}

EXPORT inode_t *
inode_new(inode_table_t *table)
{
    inode_t *(*make)(inode_table_t *) = original("inode_new");
    inode_t *inode = make(table);

    revive(inode);
    return inode;
}

EXPORT fd_t *
fd_create(inode_t *inode, pid_t pid)
{
    fd_t *(*make)(inode_t *, pid_t) = original("fd_create");
    fd_t *fd = make(inode, pid);

    revive(fd);
    return fd;
}

EXPORT inode_t *
inode_unref(inode_t *inode)
{
    inode_t *(*unref)(inode_t *) = original("inode_unref");

    return disturb(inode) ? inode : unref(inode);
}

EXPORT void
fd_unref(fd_t *fd)
{
    void (*unref)(fd_t *) = original("fd_unref");

    if (!disturb(fd))
        unref(fd);
}

__attribute__((destructor)) static void
report(void)
{
    const char *name = getenv("TOMBS");
    FILE *file = name ? fopen(name, "w") : NULL;

    if (!file)
        return;
    fprintf(file, "tables=%u buried=%u disturbed=%u\n", tombs.tables, tombs.buried, tombs.disturbed);
    fclose(file);
}
