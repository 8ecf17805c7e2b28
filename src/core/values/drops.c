/* References that Python objects gave up, kept until the thread has left the interpreter. See drops.h. */
#include "values/drops.h"

#include <pthread.h>
#include <sched.h>

#include "python/clock.h"
#include "python/forked.h"
#include "python/worker.h"
#include "values/drops_queue.h"

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
    struct glupy_job job; /* see queued */
    bool queued;          /* the job is on its way to a worker */
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
    pthread_mutex_lock(&strays.lock);
    strays.queued = false;
    pthread_mutex_unlock(&strays.lock);
    release_strays();
}

/* A thread's own list is its own but for the end of a graph, when its content is taken over: nearly never is it waited for. */
static void
lock_list(struct glupy_thread *thread)
{
    while (atomic_exchange_explicit(&thread->drops_taken, true, memory_order_acquire))
        sched_yield();
}

static void
unlock_list(struct glupy_thread *thread)
{
    atomic_store_explicit(&thread->drops_taken, false, memory_order_release);
}

static void
change_owed(struct glupy_thread *thread, unsigned by)
{
    atomic_store_explicit(&thread->owes, atomic_load_explicit(&thread->owes, memory_order_relaxed) + by,
                          memory_order_release);
}

void
glupy_drops_owe(struct glupy_thread *thread)
{
    change_owed(thread, 1);
}

void
glupy_drops_paid(struct glupy_thread *thread)
{
    change_owed(thread, -1u);
}

/* Whoever is about to release them does so at once: no job is needed. */
static void
take_over(struct glupy_thread *thread, void *unused)
{
    (void)unused;
    lock_list(thread);
    pthread_mutex_lock(&strays.lock);
    for (unsigned i = 0; i < thread->ndrops; i++) {
        struct glupy_drop *drop = append(&strays.drops, &strays.count, &strays.room);

        if (drop)
            *drop = thread->drops[i];
    }
    thread->ndrops = 0;
    pthread_mutex_unlock(&strays.lock);
    unlock_list(thread);
}

struct debts {
    struct glupy_thread *self; /* may be at it itself, further up its stack */
    unsigned count;
};

static void
add_debts(struct glupy_thread *thread, void *arg)
{
    struct debts *debts = arg;

    if (thread != debts->self)
        debts->count += atomic_load_explicit(&thread->owes, memory_order_acquire);
}

#define LOOK_EVERY 1000000u /* nanoseconds */

/* Threads that are about to release something: that is over in a moment, and nobody is woken for it. */
static bool
wait_for_threads(unsigned seconds)
{
    const struct timespec pause = {.tv_nsec = LOOK_EVERY};
    uint64_t until = glupy_now() + seconds * UINT64_C(1000000000);

    for (;;) {
        struct debts debts = {.self = glupy_thread_if_any()};

        glupy_threads_each(add_debts, &debts);
        if (!debts.count || glupy_now() > until)
            return !debts.count;
        nanosleep(&pause, NULL);
    }
}

static bool
wait_for_strays(unsigned seconds)
{
    struct timespec until;
    int error = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&strays.lock);
    while (strays.releasing && !error)
        error = pthread_cond_timedwait(&strays.calm, &strays.lock, &until);
    pthread_mutex_unlock(&strays.lock);
    return !error;
}

bool
glupy_drops_settle(unsigned seconds)
{
    glupy_threads_each(take_over, NULL);
    release_strays();
    return wait_for_strays(seconds) && wait_for_threads(seconds);
}

static void
drop_stray(void *pointer, enum drop_kind kind)
{
    struct glupy_drop *drop;
    bool submit;

    if (glupy_in_child)
        return; /* all of it goes with this process */
    pthread_mutex_lock(&strays.lock);
    drop = append(&strays.drops, &strays.count, &strays.room);
    if (drop)
        *drop = (struct glupy_drop){pointer, kind};
    submit = drop && !strays.queued;
    strays.queued = strays.queued || submit;
    pthread_mutex_unlock(&strays.lock);
    if (submit) {
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
    lock_list(thread);
    if (thread->ndrops >= ENOUGH)
        hand_over(thread);
    entry = append(&thread->drops, &thread->ndrops, &thread->room);
    if (entry)
        *entry = (struct glupy_drop){pointer, kind};
    unlock_list(thread);
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
    struct glupy_drop *drops;
    unsigned count, room;

    lock_list(thread);
    drops = thread->drops;
    count = thread->ndrops;
    room = thread->room;
    thread->drops = NULL;
    thread->ndrops = thread->room = 0;
    change_owed(thread, 1);
    unlock_list(thread);
    for (unsigned i = 0; i < count; i++)
        release(&drops[i]);
    change_owed(thread, -1u);
    if (thread->drops) {
        free(drops);
    } else {
        thread->drops = drops;
        thread->room = room;
    }
}

void
glupy_drops_forget(struct glupy_thread *thread)
{
    free(thread->drops);
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
