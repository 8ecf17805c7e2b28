/* Python's main thread. See main_thread.h. */
#include "python/main_thread.h"

#include <pthread.h>

#include "python/clock.h"
#include "python/thread.h"

struct call {
    struct call *next;
    void (*fn)(void *);
    void (*drop)(void *); /* of arg, when nobody waits any more */
    void *arg;
    unsigned interpreter;
    const char *what;
    char name[256]; /* of the translator */
    xlator_t *this; /* NULL stands for the process's own */
    bool begun;
    bool done;
    bool left; /* nobody waits any more: the main thread frees it */
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    struct call *first, **last;
    struct call *current; /* the call that is being made */
    uint64_t began;       /* when it was begun; 0: none */
    bool told;            /* it was the subject of a message */
    struct glupy_thread *thread;
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
    call->begun = true;
    calls.began = glupy_now();
    calls.told = false;
    calls.current = call;
    pthread_cond_broadcast(&calls.done);
    pthread_mutex_unlock(&calls.lock);
    return call;
}

/* Attached: afterwards it is for glupy_threads_forsake(). */
static xlator_t *
this_of(struct call *call)
{
    xlator_t *this;

    pthread_mutex_lock(&calls.lock);
    this = call->this;
    call->this = NULL;
    pthread_mutex_unlock(&calls.lock);
    return this;
}

void
glupy_main_forsake(xlator_t *gone)
{
    pthread_mutex_lock(&calls.lock);
    if (calls.current && calls.current->this == gone)
        calls.current->this = NULL;
    for (struct call *call = calls.first; call; call = call->next)
        if (call->this == gone)
            call->this = NULL;
    pthread_mutex_unlock(&calls.lock);
}

/* With the lock held. */
static double
since_began(void)
{
    return (double)(glupy_now() - calls.began) / 1e9;
}

struct glupy_main_busy
glupy_main_is_at(void)
{
    struct glupy_main_busy busy = {.what = NULL};

    pthread_mutex_lock(&calls.lock);
    if (calls.current) {
        calls.told = true;
        busy = (struct glupy_main_busy){.what = calls.current->what, .seconds = since_began(),
                                        .interpreter = calls.current->interpreter, .thread = calls.thread};
        memcpy(busy.name, calls.current->name, sizeof(busy.name));
    }
    pthread_mutex_unlock(&calls.lock);
    return busy;
}

static void
carry_out(struct glupy_thread *thread, struct call *call)
{
    const char *what = call->what; /* the call is its caller's once it is made */
    char name[sizeof(call->name)];
    double seconds;
    bool left;

    glupy_enter(thread, call->interpreter);
    THIS = this_of(call); /* where log entries go depends on it */
    call->fn(call->arg);
    glupy_leave(thread);
    THIS = NULL; /* which stands for the global one */
    pthread_mutex_lock(&calls.lock);
    memcpy(name, call->name, sizeof(name));
    seconds = calls.told ? since_began() : 0.0;
    calls.began = 0;
    calls.current = NULL;
    call->done = true;
    left = call->left;
    pthread_cond_broadcast(&calls.done);
    pthread_mutex_unlock(&calls.lock);
    if (seconds > 0.0)
        gf_msg("glupy", GF_LOG_WARNING, 0, 0, "%s of %s has returned, after %.0f seconds: Python's main thread goes on", what, name,
               seconds);
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
    calls.thread = thread;
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

static struct call *
new_call(unsigned interpreter, const char *what, void (*fn)(void *), void *arg, void (*drop)(void *))
{
    struct call *call = calloc(1, sizeof(*call));
    xlator_t *this = THIS;

    if (!call)
        return NULL;
    *call = (struct call){.fn = fn, .arg = arg, .drop = drop, .interpreter = interpreter, .what = what, .this = this};
    snprintf(call->name, sizeof(call->name), "%s", this->name ? this->name : "glupy");
    return call;
}

#define SECOND UINT64_C(1000000000)

/* With the lock held: false when it is later than that. */
static bool
wait_until(uint64_t until)
{
    struct timespec at = {.tv_sec = (time_t)(until / SECOND), .tv_nsec = (long)(until % SECOND)};

    return pthread_cond_clockwait(&calls.done, &calls.lock, CLOCK_MONOTONIC, &at) == 0;
}

/* With the lock held: until the call is made, or until then. */
static bool
wait_within(struct call *call, unsigned seconds)
{
    uint64_t until = (calls.began ? calls.began : glupy_now()) + seconds * SECOND;
    bool in_time = true;

    while (!call->done && in_time)
        in_time = wait_until(until);
    return call->done;
}

/* With the lock held: until the call is begun, or another one has taken too long. */
static bool
wait_for_turn(struct call *call, unsigned seconds)
{
    bool in_time = true;

    while (!call->begun && in_time)
        in_time = wait_until((calls.began ? calls.began : glupy_now()) + seconds * SECOND);
    return call->begun;
}

/* With the lock held: a call that is not begun will not be made. */
static void
take_out(struct call *call)
{
    struct call **at = &calls.first;

    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    if (calls.last == &call->next)
        calls.last = at;
}

/* With the lock held. */
static enum glupy_turn
take_turn(struct call *call, unsigned patience, unsigned limit)
{
    if (!wait_for_turn(call, patience)) {
        take_out(call);
        return GLUPY_NO_TURN;
    }
    if (wait_within(call, limit))
        return GLUPY_MADE;
    call->left = true;
    return GLUPY_ENDLESS;
}

enum glupy_turn
glupy_main_call_in_turn(unsigned patience, unsigned limit, unsigned interpreter, const char *what, void (*fn)(void *), void *arg,
                        void (*drop)(void *))
{
    enum glupy_turn turn;
    struct call *call;

    if (nested(interpreter, fn, arg))
        return GLUPY_MADE;
    call = new_call(interpreter, what, fn, arg, drop);
    if (!call)
        return GLUPY_NO_TURN;
    pthread_mutex_lock(&calls.lock);
    queue(call);
    turn = take_turn(call, patience, limit);
    pthread_mutex_unlock(&calls.lock);
    if (turn != GLUPY_ENDLESS)
        free(call);
    return turn;
}

bool
glupy_main_call_within(unsigned seconds, unsigned interpreter, const char *what, void (*fn)(void *), void *arg,
                       void (*drop)(void *))
{
    struct call *call;
    bool done;

    if (nested(interpreter, fn, arg))
        return true;
    call = new_call(interpreter, what, fn, arg, drop);
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
glupy_main_post(unsigned interpreter, const char *what, void (*fn)(void *), void *arg)
{
    struct call *call = new_call(interpreter, what, fn, arg, NULL);

    if (!call)
        return;
    call->left = true;
    pthread_mutex_lock(&calls.lock);
    queue(call);
    pthread_mutex_unlock(&calls.lock);
}
