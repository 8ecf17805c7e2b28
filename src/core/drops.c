/* References that Python objects gave up, kept until the thread has left the interpreter. See drops.h. */
#include "drops.h"

#include <pthread.h>

#include "drops_queue.h"
#include "worker.h"

enum drop_kind { DROP_INODE, DROP_FD, DROP_DICT, DROP_IOBREF, DROP_DIRENT };

struct glupy_drop {
    void *pointer;
    enum drop_kind kind;
};

/* Objects may die on a thread that never passes glupy_leave: a threading.Thread of the author's. */
static struct {
    pthread_mutex_t lock;
    struct glupy_drop *drops;
    unsigned count, room;
    unsigned releasing;   /* threads that have taken some out and are not done with them */
    pthread_cond_t calm;
    struct glupy_job job; /* queued while there are any */
} strays = {.lock = PTHREAD_MUTEX_INITIALIZER, .calm = PTHREAD_COND_INITIALIZER};

static void
release(const struct glupy_drop *drop)
{
    switch (drop->kind) {
        case DROP_INODE:
            inode_unref(drop->pointer);
            break;
        case DROP_FD:
            fd_unref(drop->pointer);
            break;
        case DROP_DICT:
            dict_unref(drop->pointer);
            break;
        case DROP_IOBREF:
            iobref_unref(drop->pointer);
            break;
        case DROP_DIRENT:
            gf_dirent_entry_free(drop->pointer);
            break;
    }
}

/* Room for one more. Without memory the reference is leaked: the one thing that cannot do harm here. */
static struct glupy_drop *
append(struct glupy_drop **drops, unsigned *count, unsigned *room)
{
    if (*count == *room) {
        unsigned more = *room ? 2 * *room : 16;
        struct glupy_drop *grown = realloc(*drops, more * sizeof(*grown));

        if (!grown)
            return NULL;
        *drops = grown;
        *room = more;
    }
    return &(*drops)[(*count)++];
}

static void
release_strays(void)
{
    struct glupy_drop *drops;
    unsigned count;

    pthread_mutex_lock(&strays.lock);
    strays.releasing++;
    drops = strays.drops;
    count = strays.count;
    strays.drops = NULL;
    strays.count = strays.room = 0;
    pthread_mutex_unlock(&strays.lock);
    for (unsigned i = 0; i < count; i++)
        release(&drops[i]);
    free(drops);
    pthread_mutex_lock(&strays.lock);
    if (--strays.releasing == 0)
        pthread_cond_broadcast(&strays.calm);
    pthread_mutex_unlock(&strays.lock);
}

static void
run_release(struct glupy_job *job)
{
    (void)job;
    release_strays();
}

bool
glupy_drops_settle(unsigned seconds)
{
    struct timespec until;
    int error = 0;

    release_strays();
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&strays.lock);
    while (strays.releasing && !error)
        error = pthread_cond_timedwait(&strays.calm, &strays.lock, &until);
    pthread_mutex_unlock(&strays.lock);
    return !error;
}

static void
drop_stray(void *pointer, enum drop_kind kind)
{
    struct glupy_drop *drop;
    bool first;

    pthread_mutex_lock(&strays.lock);
    first = strays.count == 0;
    drop = append(&strays.drops, &strays.count, &strays.room);
    if (drop)
        *drop = (struct glupy_drop){pointer, kind};
    pthread_mutex_unlock(&strays.lock);
    if (first && drop) {
        strays.job.run = run_release;
        glupy_worker_submit(&strays.job);
    }
}

/* A thread that stays inside for long, such as one that runs to_thread's function, hands over now and then. */
#define ENOUGH 256

static void
hand_over(struct glupy_thread *thread)
{
    for (unsigned i = 0; i < thread->ndrops; i++)
        drop_stray(thread->drops[i].pointer, thread->drops[i].kind);
    thread->ndrops = 0;
}

static void
queue(void *pointer, enum drop_kind kind)
{
    struct glupy_thread *thread = glupy_thread_if_any();
    struct glupy_drop *entry;

    if (!thread || !thread->inside) {
        drop_stray(pointer, kind);
        return;
    }
    if (thread->ndrops >= ENOUGH)
        hand_over(thread);
    entry = append(&thread->drops, &thread->ndrops, &thread->room);
    if (entry)
        *entry = (struct glupy_drop){pointer, kind};
}

/* Most wrappers only borrowed, and have nothing to give up. */
static inline void
drop(void *pointer, enum drop_kind kind)
{
    if (pointer)
        queue(pointer, kind);
}

void
glupy_drops_release(struct glupy_thread *thread)
{
    /* Releasing can run other layers of this graph, and so come back here on the same thread: take the list first. */
    struct glupy_drop *drops = thread->drops;
    unsigned count = thread->ndrops, room = thread->room;

    thread->drops = NULL;
    thread->ndrops = thread->room = 0;
    for (unsigned i = 0; i < count; i++)
        release(&drops[i]);
    if (thread->drops) {
        free(drops);
    } else {
        thread->drops = drops;
        thread->room = room;
    }
}

void
glupy_drop_inode(inode_t *inode)
{
    drop(inode, DROP_INODE);
}

void
glupy_drop_fd(fd_t *fd)
{
    drop(fd, DROP_FD);
}

void
glupy_drop_dict(dict_t *dict)
{
    drop(dict, DROP_DICT);
}

void
glupy_drop_iobref(struct iobref *ref)
{
    drop(ref, DROP_IOBREF);
}

void
glupy_drop_dirent(gf_dirent_t *entry)
{
    drop(entry, DROP_DIRENT);
}

void
glupy_drop_loc(loc_t *loc)
{
    glupy_drop_inode(loc->inode);
    glupy_drop_inode(loc->parent);
    GF_FREE((char *)loc->path);
    memset(loc, 0, sizeof(*loc));
}
