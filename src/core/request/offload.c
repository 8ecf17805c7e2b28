/* Waiting inside a method that has a thread to itself. See offload.h.
 *
 * The method is a plain call into Python that has not returned: there is no coroutine to be stepped. wait() arms what
 * it is given for the request, leaves the interpreter, and lets go of the request as a runner does that comes to rest.
 * Who takes it over to run it finds a sleeper there and wakes that instead: the request is the method's thread's again.
 *
 * What was armed is wound by a runner of the pool, so that no other layer's code runs below the method's frames. */
#include "request/offload.h"

#include "base/compat.h"
#include "observe/log.h"
#include "request/wind.h"
#include "values/types/types.h"

struct glupy_sleeper {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool awake;
};

void
glupy_sleeper_wake(struct glupy_sleeper *sleeper)
{
    pthread_mutex_lock(&sleeper->lock);
    sleeper->awake = true;
    pthread_cond_signal(&sleeper->wake); /* with the lock held: the sleeper goes with its thread's stack */
    pthread_mutex_unlock(&sleeper->lock);
}

static void
sleep_until_woken(struct glupy_sleeper *sleeper)
{
    pthread_mutex_lock(&sleeper->lock);
    while (!sleeper->awake)
        pthread_cond_wait(&sleeper->wake, &sleeper->lock);
    pthread_mutex_unlock(&sleeper->lock);
}

static void
wind_for_sleeper(struct glupy_job *job)
{
    struct glupy_request *request = (void *)((char *)job - offsetof(struct glupy_request, job));
    xlator_t *old_this = THIS;

    THIS = request->instance->this;
    glupy_wind_all(request);
    THIS = old_this;
    if (!glupy_request_rests(request))
        glupy_sleeper_wake(request->offload.sleeper);
}

/* Wind what is armed, wait until something has come back. Not attached. */
static void
rest(struct glupy_request *request)
{
    struct glupy_sleeper sleeper = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

    request->offload.sleeper = &sleeper;
    if (request->out.to_wind) {
        request->job.run = wind_for_sleeper; /* the job that brought the request here has begun: its place is free */
        glupy_worker_submit(&request->job);
    } else if (!glupy_request_rests(request)) {
        request->offload.sleeper = NULL;
        return;
    }
    glupy_worker_waits(true);
    sleep_until_woken(&sleeper);
    glupy_worker_waits(false);
    glupy_rest_end(request);
    request->offload.sleeper = NULL;
}

/* The request whose method calls us, if that may block its thread. */
static struct glupy_request *
sleeping_request(struct glupy_thread *thread)
{
    struct glupy_request *request = thread ? thread->stepping : NULL;

    if (request && request->offload.wanted && !request->progress.was_coroutine && !request->offload.waits)
        return request;
    PyErr_SetString(PyExc_RuntimeError,
                    "wait() blocks: it is for methods with @glupy.offload; in a coroutine, await instead");
    return NULL;
}

/* The step ends here, and another begins when it goes on: the time in between is not Python's. */
static void
rest_outside(struct glupy_thread *thread, struct glupy_request *request)
{
    const struct glupy_activity nothing = {.stats = NULL};

    glupy_stats_step_ends(&request->timing);
    thread->stepping = NULL;
    glupy_leave(thread);
    glupy_stats_left(thread, &nothing);
    rest(request);
    glupy_stats_enters(thread, &request->instance->stats, request->fop);
    glupy_enter(thread, request->interpreter);
    thread->stepping = request;
    glupy_stats_step_begins(thread, &request->timing);
}

static void
wait_until_done(struct glupy_thread *thread, struct glupy_request *request, struct glupy_awaitable *awaitable)
{
    while (awaitable->stage != GLUPY_DONE) {
        glupy_rest_awaits(&request->rest.awaits, (PyObject *)awaitable);
        glupy_rest_locate(request);
        rest_outside(thread, request);
        glupy_request_land(request);
    }
    glupy_rest_awaits(&request->rest.awaits, NULL);
}

static struct glupy_awaitable *
awaitable_of(struct glupy_state *state, PyObject *value)
{
    struct glupy_awaitable *awaitable = glupy_awaitable_of(state, value);
    PyObject *shown;

    if (awaitable || PyErr_Occurred())
        return awaitable;
    shown = glupy_shown(value);
    PyErr_Format(PyExc_TypeError, "wait(): expected a wind, gather, Future, Task or coroutine, not %V", shown, "this");
    Py_XDECREF(shown);
    return NULL;
}

PyObject *
glupy_wait_method(PyObject *module, PyObject *value)
{
    struct glupy_thread *thread = glupy_thread_if_any();
    struct glupy_request *request = sleeping_request(thread);
    struct glupy_awaitable *awaitable;
    PyObject *result = NULL;

    if (!request)
        return NULL;
    awaitable = awaitable_of(PyModule_GetState(module), value);
    if (!awaitable)
        return NULL;
    request->offload.waits = true; /* what a coroutine does that is given to us is no longer the method's own */
    if (glupy_arm(request, awaitable, NULL) == 0) {
        glupy_take_turns(request);
        wait_until_done(thread, request, awaitable);
        result = glupy_awaitable_take(awaitable);
    }
    request->offload.waits = false;
    Py_DECREF(awaitable);
    return result;
}
