/* Python's main thread. See main_thread.h. */
#include "main_thread.h"

#include <pthread.h>

#include "clock.h"
#include "thread.h"

struct call {
    struct call *next;
    void (*fn)(void *);
    void (*drop)(void *); /* of arg, when nobody waits any more */
    void *arg;
    unsigned interpreter;
    xlator_t *this;
    bool done;
    bool left; /* nobody waits any more: the main thread frees it */
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    struct call *first, **last;
    uint64_t began; /* when the call was begun that is being made; 0: none */
} calls = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .wake = PTHREAD_COND_INITIALIZER,
    .done = PTHREAD_COND_INITIALIZER,
    .last = &calls.first,
};

static struct call *
next_call(void)
{
    struct call *call;

    pthread_mutex_lock(&calls.lock);
    while (!calls.first)
        pthread_cond_wait(&calls.wake, &calls.lock);
    call = calls.first;
    calls.first = call->next;
    if (!calls.first)
        calls.last = &calls.first;
    calls.began = glupy_now();
    pthread_mutex_unlock(&calls.lock);
    return call;
}

static void
carry_out(struct glupy_thread *thread, struct call *call)
{
    bool left;

    THIS = call->this; /* where log entries go depends on it */
    glupy_enter(thread, call->interpreter);
    call->fn(call->arg);
    glupy_leave(thread);
    THIS = NULL; /* which stands for the global one */
    pthread_mutex_lock(&calls.lock);
    calls.began = 0;
    call->done = true;
    left = call->left;
    pthread_cond_broadcast(&calls.done);
    pthread_mutex_unlock(&calls.lock);
    if (left) {
        if (call->drop)
            call->drop(call->arg);
        free(call);
    }
}

void
glupy_main_serve(void)
{
    struct glupy_thread *thread = glupy_thread();

    if (thread)
        thread->main = true;
    while (thread)
        carry_out(thread, next_call());
}

/* With the lock held. */
static void
queue(struct call *call)
{
    *calls.last = call;
    calls.last = &call->next;
    pthread_cond_signal(&calls.wake);
}

/* We are the main thread, called by GlusterFS from within a call: make this one at once. It may be within a step as well,
 * whose request is not the call's, and may be another interpreter's. */
static bool
nested(unsigned interpreter, void (*fn)(void *), void *arg)
{
    struct glupy_thread *thread = glupy_thread_if_any();
    struct glupy_request *outer;

    if (!thread || !thread->main)
        return false;
    outer = thread->stepping;
    thread->stepping = NULL;
    glupy_enter(thread, interpreter);
    fn(arg);
    glupy_leave(thread);
    thread->stepping = outer;
    return true;
}

void
glupy_main_call(unsigned interpreter, void (*fn)(void *), void *arg)
{
    struct call call = {.fn = fn, .arg = arg, .interpreter = interpreter, .this = THIS};

    if (nested(interpreter, fn, arg))
        return;
    pthread_mutex_lock(&calls.lock);
    queue(&call);
    while (!call.done)
        pthread_cond_wait(&calls.done, &calls.lock);
    pthread_mutex_unlock(&calls.lock);
}

static struct call *
new_call(unsigned interpreter, void (*fn)(void *), void *arg, void (*drop)(void *))
{
    struct call *call = calloc(1, sizeof(*call));

    if (call)
        *call = (struct call){.fn = fn, .arg = arg, .drop = drop, .interpreter = interpreter, .this = THIS};
    return call;
}

/* With the lock held: until the call is made, or until then. */
static bool
wait_within(struct call *call, unsigned seconds)
{
    uint64_t limit = seconds * UINT64_C(1000000000);
    uint64_t until = (calls.began ? calls.began : glupy_now()) + limit;
    struct timespec at = {.tv_sec = (time_t)(until / 1000000000u), .tv_nsec = (long)(until % 1000000000u)};
    int error = 0;

    while (!call->done && !error)
        error = pthread_cond_clockwait(&calls.done, &calls.lock, CLOCK_MONOTONIC, &at);
    return call->done;
}

bool
glupy_main_call_within(unsigned seconds, unsigned interpreter, void (*fn)(void *), void *arg, void (*drop)(void *))
{
    struct call *call;
    bool done;

    if (nested(interpreter, fn, arg))
        return true;
    call = new_call(interpreter, fn, arg, drop);
    if (!call) {
        drop(arg);
        return false;
    }
    pthread_mutex_lock(&calls.lock);
    queue(call);
    done = wait_within(call, seconds);
    call->left = true;
    pthread_mutex_unlock(&calls.lock);
    if (done)
        free(call);
    return done;
}

void
glupy_main_post(unsigned interpreter, void (*fn)(void *), void *arg)
{
    struct call *call = new_call(interpreter, fn, arg, NULL);

    if (!call)
        return;
    call->left = true;
    pthread_mutex_lock(&calls.lock);
    queue(call);
    pthread_mutex_unlock(&calls.lock);
}
