/* Our own threads. See worker.h. */
#include "python/worker.h"

#include <pthread.h>

#include "python/own_thread.h"

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct list_head queue; /* glupy_job.link */
    unsigned threads, idle, queued;
    unsigned starting; /* threads whose gf_thread_create() has not returned */
    unsigned waiting;  /* threads that do not count */
    unsigned most;     /* threads that do */
    const char *name;
};

/* Enough threads that a few that block do not hold up the rest, few enough not to matter when idle. */
static struct pool runners = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .wake = PTHREAD_COND_INITIALIZER,
    .queue = {&runners.queue, &runners.queue},
    .most = 32,
    .name = "glupyrun",
};

static struct pool blockers = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .wake = PTHREAD_COND_INITIALIZER,
    .queue = {&blockers.queue, &blockers.queue},
    .most = 64,
    .name = "glupyblk",
};

static struct glupy_job *
pop(struct pool *pool)
{
    struct glupy_job *job;

    if (list_empty(&pool->queue))
        return NULL;
    job = list_first_entry(&pool->queue, struct glupy_job, link);
    list_del_init(&job->link);
    pool->queued--;
    return job;
}

/* With the lock held. There are more threads than there should be, since some waited when others were started: no more
 * jobs for the one that asks. Not while one is starting: gf_thread_create() gives a thread its name after it has let it
 * run, and crashes if it has ended. */
static bool
may_end(struct pool *pool)
{
    return pool->threads - pool->waiting > pool->most && !pool->starting;
}

/* With the lock held, after a change by which idle threads may end: have them look. */
static void
end_idle(struct pool *pool)
{
    if (pool->idle && may_end(pool))
        pthread_cond_broadcast(&pool->wake);
}

static void *
worker(void *arg)
{
    struct pool *pool = arg;

    pthread_mutex_lock(&pool->lock);
    while (!may_end(pool)) {
        struct glupy_job *job = pop(pool);

        if (!job) {
            pool->idle++;
            pthread_cond_wait(&pool->wake, &pool->lock);
            pool->idle--;
            continue;
        }
        pthread_mutex_unlock(&pool->lock);
        job->run(job);
        pthread_mutex_lock(&pool->lock);
    }
    pool->threads--;
    if (!list_empty(&pool->queue))
        pthread_cond_signal(&pool->wake); /* it may have been us who was woken for the job */
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* With the lock held, which is given up here. A thread is started when more is queued than idle ones will take: the queue
 * then moves on even if every running worker blocks. */
static void
wake_or_start(struct pool *pool)
{
    bool start = pool->queued > pool->idle && pool->threads - pool->waiting < pool->most;

    if (!start) {
        pthread_cond_signal(&pool->wake);
        pthread_mutex_unlock(&pool->lock);
        return;
    }
    pool->threads++;
    pool->starting++;
    pthread_mutex_unlock(&pool->lock);
    start = glupy_start_thread(worker, pool, pool->name) == 0;
    pthread_mutex_lock(&pool->lock);
    pool->starting--;
    if (!start)
        pool->threads--;
    end_idle(pool);
    pthread_mutex_unlock(&pool->lock);
}

static void
submit(struct pool *pool, struct glupy_job *job)
{
    pthread_mutex_lock(&pool->lock);
    list_add_tail(&job->link, &pool->queue);
    pool->queued++;
    wake_or_start(pool);
}

static int
prepare(struct pool *pool)
{
    int error = 0;

    pthread_mutex_lock(&pool->lock);
    if (!pool->threads)
        error = glupy_start_thread(worker, pool, pool->name);
    if (!error && !pool->threads)
        pool->threads = 1;
    pthread_mutex_unlock(&pool->lock);
    return error;
}

int
glupy_worker_prepare(void)
{
    int error = prepare(&runners);

    return error ? error : prepare(&blockers);
}

void
glupy_worker_submit(struct glupy_job *job)
{
    submit(&runners, job);
}

void
glupy_worker_submit_blocking(struct glupy_job *job)
{
    submit(&blockers, job);
}

bool
glupy_worker_withdraw_blocking(struct glupy_job *job)
{
    bool queued;

    pthread_mutex_lock(&blockers.lock);
    queued = !list_empty(&job->link);
    if (queued) {
        list_del_init(&job->link);
        blockers.queued--;
    }
    pthread_mutex_unlock(&blockers.lock);
    return queued;
}

void
glupy_worker_waits(bool waits)
{
    pthread_mutex_lock(&blockers.lock);
    if (waits)
        blockers.waiting++;
    else
        blockers.waiting--;
    if (waits && blockers.queued) {
        wake_or_start(&blockers); /* gives the lock up */
        return;
    }
    end_idle(&blockers);
    pthread_mutex_unlock(&blockers.lock);
}

static bool
busy(struct pool *pool)
{
    bool busy;

    pthread_mutex_lock(&pool->lock);
    busy = pool->queued || pool->threads > pool->idle + pool->waiting;
    pthread_mutex_unlock(&pool->lock);
    return busy;
}

bool
glupy_worker_busy(void)
{
    return busy(&runners) || busy(&blockers);
}
