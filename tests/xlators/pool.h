/* Threads of our own that let calls go on, each at its time. */
#ifndef XL_POOL_H
#define XL_POOL_H

#include "calls.h"

#include <pthread.h>

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct list_head queue; /* of struct call, by due time */
    bool hurry;             /* nothing waits for its time any more */
    bool stopping;
    int count;
    pthread_t *threads;
};

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t pool_now(void);

/* Start `count` threads of `stack_size` bytes of stack, with all signals blocked as on GlusterFS's own threads. 0, or
 * the errno of pthread_create. */
int pool_start(struct pool *pool, int count, size_t stack_size, const char *name);

/* Queue a call that goes on when `due` has come. */
void pool_push(struct pool *pool, struct call *call, uint64_t due);

/* From now on, no call waits for its time. */
void pool_hurry(struct pool *pool);

/* Let everything queued go on, then end and join the threads. */
void pool_stop(struct pool *pool);

/* Start one thread as pool_start does. 0, or the errno of pthread_create. */
int pool_thread(pthread_t *thread, size_t stack_size, const char *name, void *(*body)(void *), void *data);

#endif
