/* Python's main thread. See main_thread.h. */
#include "main_thread.h"

#include <pthread.h>

#include "thread.h"

struct call {
    struct call *next;
    void (*fn)(void *);
    void *arg;
    unsigned interpreter;
    xlator_t *this;
    bool done;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    struct call *first, **last;
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
    pthread_mutex_unlock(&calls.lock);
    return call;
}

static void
carry_out(struct glupy_thread *thread, struct call *call)
{
    THIS = call->this; /* where log entries go depends on it */
    glupy_enter(thread, call->interpreter);
    call->fn(call->arg);
    glupy_leave(thread);
    THIS = NULL; /* which stands for the global one */
    pthread_mutex_lock(&calls.lock);
    call->done = true;
    pthread_cond_broadcast(&calls.done);
    pthread_mutex_unlock(&calls.lock);
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

void
glupy_main_call(unsigned interpreter, void (*fn)(void *), void *arg)
{
    struct call call = {.fn = fn, .arg = arg, .interpreter = interpreter, .this = THIS};

    pthread_mutex_lock(&calls.lock);
    *calls.last = &call;
    calls.last = &call.next;
    pthread_cond_signal(&calls.wake);
    while (!call.done)
        pthread_cond_wait(&calls.done, &calls.lock);
    pthread_mutex_unlock(&calls.lock);
}
