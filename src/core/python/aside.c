/* Calls on threads of their own. See aside.h. */
#include "python/aside.h"

#include <pthread.h>

#include "python/own_thread.h"
#include "python/thread.h"

struct aside {
    pthread_mutex_t lock;
    pthread_cond_t change; /* of the next three */
    void (*fn)(void *);
    void (*drop)(void *);
    void *arg;
    unsigned interpreter;
    bool named; /* gf_thread_create() names a thread after it has let it run, and crashes if it has ended by then */
    bool done;
    bool left; /* nobody waits any more */
};

static void
destroy(struct aside *call)
{
    pthread_cond_destroy(&call->change);
    pthread_mutex_destroy(&call->lock);
    free(call);
}

static void
carry_out(struct aside *call)
{
    struct glupy_thread *thread = glupy_thread();

    if (!thread)
        return; /* Python is being finalised by its program */
    glupy_enter(thread, call->interpreter);
    call->fn(call->arg);
    glupy_leave(thread);
}

static void *
run(void *arg)
{
    struct aside *call = arg;
    bool left;

    carry_out(call);
    pthread_mutex_lock(&call->lock);
    while (!call->named)
        pthread_cond_wait(&call->change, &call->lock);
    call->done = true;
    left = call->left;
    pthread_cond_signal(&call->change);
    pthread_mutex_unlock(&call->lock);
    if (left) {
        call->drop(call->arg);
        destroy(call);
    }
    return NULL;
}

static struct aside *
make(unsigned interpreter, void (*fn)(void *), void *arg, void (*drop)(void *))
{
    struct aside *call = calloc(1, sizeof(*call));

    if (!call)
        return NULL;
    *call = (struct aside){.fn = fn, .drop = drop, .arg = arg, .interpreter = interpreter};
    pthread_mutex_init(&call->lock, NULL);
    pthread_cond_init(&call->change, NULL);
    return call;
}

static bool
wait_for(struct aside *call, unsigned seconds)
{
    struct timespec until;
    int error = 0;
    bool done;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&call->lock);
    call->named = true;
    pthread_cond_signal(&call->change);
    while (!call->done && !error)
        error = pthread_cond_clockwait(&call->change, &call->lock, CLOCK_MONOTONIC, &until);
    done = call->done;
    call->left = !done;
    pthread_mutex_unlock(&call->lock);
    return done;
}

bool
glupy_aside(unsigned seconds, unsigned interpreter, void (*fn)(void *), void *arg, void (*drop)(void *))
{
    struct aside *call = make(interpreter, fn, arg, drop);

    if (!call || glupy_start_thread(run, call, "glupyend") != 0) {
        if (call)
            destroy(call);
        drop(arg);
        return false;
    }
    if (!wait_for(call, seconds))
        return false;
    destroy(call);
    return true;
}
