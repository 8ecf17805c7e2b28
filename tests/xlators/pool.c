/* Threads of our own that let calls go on, each at its time; see pool.h. */
#include "pool.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

uint64_t
pool_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void
wait_until(struct pool *pool, uint64_t due)
{
    struct timespec until = {.tv_sec = due / 1000000000ULL, .tv_nsec = due % 1000000000ULL};

    pthread_cond_timedwait(&pool->wake, &pool->lock, &until);
}

/* The next call whose time has come, off the queue; NULL once stopped and empty. */
static struct call *
next_call(struct pool *pool)
{
    struct call *call = NULL;

    pthread_mutex_lock(&pool->lock);
    while (!call) {
        if (list_empty(&pool->queue)) {
            if (pool->stopping)
                break;
            pthread_cond_wait(&pool->wake, &pool->lock);
            continue;
        }
        struct call *first = list_first_entry(&pool->queue, struct call, list);
        if (pool->hurry || first->due <= pool_now())
            call = first;
        else
            wait_until(pool, first->due);
    }
    if (call)
        list_del_init(&call->list);
    pthread_mutex_unlock(&pool->lock);
    return call;
}

static void *
work(void *data)
{
    struct call *call = NULL;

    while ((call = next_call(data)))
        call_run(call);
    return NULL;
}

int
pool_thread(pthread_t *thread, size_t stack_size, const char *name, void *(*body)(void *), void *data)
{
    sigset_t all, before;
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, stack_size);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, &attr, body, data);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (!error)
        pthread_setname_np(*thread, name);
    return error;
}

static void
init_pool(struct pool *pool, int count)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&pool->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->wake, &attr);
    pthread_condattr_destroy(&attr);
    INIT_LIST_HEAD(&pool->queue);
    pool->hurry = pool->stopping = false;
    pool->count = 0;
    pool->threads = xl_alloc(count * sizeof *pool->threads);
}

int
pool_start(struct pool *pool, int count, size_t stack_size, const char *name)
{
    init_pool(pool, count);
    while (pool->count < count) {
        int error = pool_thread(&pool->threads[pool->count], stack_size, name, work, pool);
        if (error) {
            pool_stop(pool);
            return error;
        }
        pool->count++;
    }
    return 0;
}

void
pool_push(struct pool *pool, struct call *call, uint64_t due)
{
    struct call *before = NULL;

    call->due = due;
    pthread_mutex_lock(&pool->lock);
    list_for_each_entry_reverse(before, &pool->queue, list)
    {
        if (before->due <= due)
            break;
    }
    list_add(&call->list, &before->list);
    /* All, because the one thread that a signal would wake may be asleep until a later call's time. */
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

void
pool_hurry(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->hurry = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

void
pool_stop(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->hurry = pool->stopping = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->count; i++)
        pthread_join(pool->threads[i], NULL);
    free(pool->threads);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
}
