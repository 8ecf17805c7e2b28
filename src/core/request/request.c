/* Running requests. See request.h for the whole of it. */
#include "request/request.h"

#include "observe/watch.h"
#include "request/answer.h"
#include "request/background.h"
#include "request/offload.h"
#include "request/wind.h"
#include "values/drops_queue.h"

/* One stay inside the interpreter. */
struct run {
    struct glupy_request *request;
    const void *passed; /* the caller's arguments, while they are valid */
    bool first;
    bool own_args; /* asked for: the caller is about to go */
    bool stands_in; /* the thread is ours: it works for nobody yet */
    bool late; /* the arguments are those of a caller who is gone: whoever runs the request gives them up afterwards */
    bool lost; /* the inodes among them are no longer there */
    bool answered;
    bool misplaced; /* it is to begin on a thread that it may block */
    struct glupy_answer *answer;
};

/* It was on its way to a worker when its graph's inodes went: what its arguments lead to is not looked at. */
static void
lose(struct glupy_request *request)
{
    PyErr_SetString(PyExc_ReferenceError, "the graph of this call is gone");
    request->progress.exception = PyErr_GetRaisedException();
    request->progress.finished = true;
}

/* It was on its way when the author's fini() was called, or when another version of the class took over that does not define
 * this fop. Its arguments have no wrappers. */
static void
pass_by(struct glupy_request *request)
{
    request->progress.outcome = Py_NewRef(Py_None);
    request->progress.finished = true;
}

static void
start(struct glupy_request *request, const void *passed)
{
    if (request->fop) {
        Py_INCREF(request->instance);
        request->instance->life.requests++;
        request->version = request->instance->versions.current;
        request->version->requests++;
        if (request->arrival.late_args) {
            request->arrival.late_args = NULL;
            atomic_fetch_sub(&request->instance->life.late, 1);
        }
    }
    if (!request->fop)
        glupy_step(request);
    else if (request->instance->life.emptied)
        lose(request);
    else if (request->instance->life.ended || !request->instance->handlers.methods[request->fop->index])
        pass_by(request);
    else
        request->instance->flavour->start(request, passed);
}

/* One that was given up in the meantime has nobody who would hear of it. */
static void
land(struct glupy_request *request, struct glupy_awaitable *awaitable)
{
    bool wanted = awaitable->stage == GLUPY_ARMED;

    if (wanted)
        awaitable->stage = GLUPY_DONE;
    request->out.count--;
    if (awaitable->ops->landed)
        awaitable->ops->landed(awaitable, request);
    if (wanted) {
        glupy_deliver(request, awaitable);
        glupy_take_turns(request);
    }
    Py_DECREF(awaitable);
}

/* Hand out what has completed, in the order it came. */
void
glupy_request_land(struct glupy_request *request)
{
    struct glupy_awaitable *list = atomic_exchange_explicit(&request->ready, NULL, memory_order_acquire);
    struct glupy_awaitable *first = NULL, *next;

    for (; list; list = next) {
        next = list->next;
        list->next = first;
        first = list;
    }
    for (; first; first = next) {
        next = first->next;
        if (first != &request->task.nudge)
            land(request, first);
    }
}

static __attribute__((noinline)) void
own_args(struct run *run)
{
    struct glupy_request *request = run->request;

    if (request->fop)
        request->instance->flavour->own(request);
    glupy_rest_locate(request);
    request->arrival.owns_args = true;
    run->own_args = false;
    run->passed = NULL;
}

/* It waits for what another thread will do: then what is asked for when it comes to rest is done in this stay, and not in one of
 * its own. Where that is not known, and something goes out first, it is what the last ones had to do. */
static __attribute__((noinline)) bool
will_rest(struct glupy_request *request)
{
    return !request->arrival.owns_args && (!request->out.to_wind || glupy_rest_expected(request));
}

/* A method with @offload; what it awaits if it is a coroutine is no matter of a thread's. */
static bool
may_block(const struct glupy_request *request)
{
    return request->offload.wanted && !request->progress.was_coroutine;
}

static struct glupy_watched_before
watch(struct glupy_thread *thread, struct glupy_request *request)
{
    return glupy_watch_begin(thread, may_block(request) ? NULL : &request->instance->watch,
                             request->fop ? request->fop->name : "task");
}

/* When it came, the method had no @offload: another version of the class has taken over since. */
static bool
is_misplaced(const struct glupy_request *request)
{
    return request->fop && !request->offload.wanted && request->instance->handlers.offloaded[request->fop->index];
}

/* There is nothing left to be waited for. */
static bool
is_over(const struct glupy_request *request)
{
    return request->progress.finished && request->out.count == 0 && !request->task.busy && !request->task.counted;
}

static void
run_step(struct glupy_thread *thread, void *arg)
{
    struct run *run = arg;
    struct glupy_request *request = run->request, *outer = thread->stepping;
    struct glupy_watched_before watched;

    if (run->first && is_misplaced(request)) {
        run->misplaced = true;
        return;
    }
    thread->stepping = request;
    if (run->stands_in) /* attached: while the xlator cannot go unnoticed */
        THIS = request->instance->this;
    run->lost = request->instance->life.emptied;
    glupy_stats_step_begins(thread, &request->timing);
    watched = watch(thread, request);
    request->answer = run->answer;
    if (run->first) {
        run->first = false;
        start(request, run->passed);
        run->own_args = request->out.count && will_rest(request);
    }
    if (run->own_args)
        own_args(run);
    if (atomic_load_explicit(&request->ready, memory_order_relaxed))
        glupy_request_land(request);
    if (glupy_request_cancelled(request))
        glupy_step_cancelled(request);
    if (!request->fop && request->progress.finished && !request->task.busy)
        glupy_background_ended(request);
    glupy_watch_end(thread, watched); /* the author's code has run; the instance may go with the request */
    if (is_over(request)) {
        glupy_answer_prepare(run->answer, request, run->passed);
        run->answered = true;
    } else {
        glupy_stats_step_ends(&request->timing);
    }
    thread->stepping = outer;
}

static bool
let_go(struct glupy_request *request)
{
    struct glupy_awaitable *nothing = NULL;

    return atomic_compare_exchange_strong_explicit(&request->ready, &nothing, GLUPY_IDLE, memory_order_release,
                                                   memory_order_relaxed);
}

/* In the list first: once let go of, it is somebody else's. */
bool
glupy_request_rests(struct glupy_request *request)
{
    glupy_rest_begin(request);
    if (let_go(request))
        return true;
    glupy_rest_end(request);
    return false;
}

static void
call_python(struct run *run, struct glupy_thread *thread, enum glupy_place place)
{
    struct glupy_activity before = glupy_stats_enters(thread, &run->request->instance->stats, run->request->fop);

    glupy_call_python(thread, place, run->request->interpreter, may_block(run->request) ? GLUPY_LONG : GLUPY_SHORT,
                      run_step, run);
    glupy_stats_left(thread, &before);
}

/* A task, outside the interpreter: give back what it holds of the graph. True when there is more to do for its end. */
static bool
settle_task(struct glupy_request *request)
{
    if (request->task.busy && !request->out.winds)
        glupy_background_rests(request);
    else if (request->progress.finished && !request->task.busy)
        glupy_background_leaves(request);
    else
        return false;
    return request->progress.finished;
}

static void
run_request(struct run *run, struct glupy_thread *thread, enum glupy_place place)
{
    struct glupy_request *request = run->request;

    for (;;) {
        call_python(run, thread, place);
        if (run->misplaced)
            return;
        if (run->answered) {
            if (run->late)
                glupy_drops_owe(thread);
            glupy_answer_deliver(run->answer, thread, place);
            return;
        }
        if (request->out.to_wind)
            glupy_wind_all(request);
        if (atomic_load_explicit(&request->ready, memory_order_relaxed)) { /* a synchronous child */
            if (request->arrival.owns_args && request->fop)
                glupy_rest_expect(request, false);
            continue;
        }
        if (request->task.counted && settle_task(request))
            continue;
        if (request->fop)
            glupy_rest_expect(request, true);
        if (!request->arrival.owns_args)
            run->own_args = true;
        else if (glupy_request_rests(request))
            return;
    }
}

static void
begin(struct run *run, struct glupy_thread *thread, enum glupy_place place)
{
    struct glupy_answer answer;

    run->answer = &answer;
    run->first = !run->request->arrival.started;
    run->request->arrival.started = true;
    glupy_rest_end(run->request);
    run_request(run, thread, place);
}

/* On a thread that it may block. */
static void
begins_anew(struct glupy_request *request)
{
    request->arrival.started = false;
    request->offload.wanted = true;
}

void
glupy_request_run(struct glupy_request *request, struct glupy_thread *thread, enum glupy_place place,
                  const void *passed)
{
    struct run run = {.request = request, .passed = passed};

    begin(&run, thread, place);
    if (run.misplaced) {
        begins_anew(request);
        glupy_request_begin_elsewhere(request, passed);
    }
}

/* What a call that came late was given. Where the graph's inodes have gone, so has what the references were to. */
static void
drop_late_args(struct run *run, struct glupy_thread *thread, const struct glupy_fop *fop, void *late_args)
{
    if (!run->lost)
        glupy_fields_drop(fop->args, fop->nargs, late_args);
    if (run->answered)
        glupy_drops_paid(thread);
    free(late_args);
}

/* On a worker: the request is ours, here is a stack to run it on, and we stand in for the caller whose arguments it
 * was given. */
static void
run_on_worker(struct glupy_job *job)
{
    struct glupy_request *request = (void *)((char *)job - offsetof(struct glupy_request, job));
    const struct glupy_fop *fop = request->fop;
    void *late_args = request->arrival.late_args;
    struct run run = {.request = request, .stands_in = true, .late = late_args != NULL};
    union glupy_any_args passed;
    struct glupy_thread *thread;
    enum glupy_place place = glupy_place(&thread);
    xlator_t *old_this = THIS;

    if (place == GLUPY_WORKER)
        return; /* Python is being finalised under us; nobody can be answered any more */
    if (late_args) {
        glupy_fields_lend(fop->args, fop->nargs, late_args, &passed);
        run.passed = &passed;
    }
    begin(&run, thread, place);
    if (run.misplaced) {
        begins_anew(request);
        glupy_request_submit(request);
    } else if (late_args) {
        drop_late_args(&run, thread, fop, late_args);
    }
    THIS = old_this;
}

void
glupy_request_submit(struct glupy_request *request)
{
    request->job.run = run_on_worker;
    if (request->offload.wanted && !request->arrival.started)
        glupy_worker_submit_blocking(&request->job);
    else
        glupy_worker_submit(&request->job);
}

/* True when the request had come to rest and is the caller's now. */
static bool
push(struct glupy_awaitable *awaitable)
{
    _Atomic(struct glupy_awaitable *) *ready = &awaitable->request->ready;
    struct glupy_awaitable *seen = atomic_load_explicit(ready, memory_order_relaxed);

    do
        awaitable->next = seen == GLUPY_IDLE ? NULL : seen;
    while (!atomic_compare_exchange_weak_explicit(ready, &seen, awaitable, memory_order_acq_rel, memory_order_relaxed));
    return seen == GLUPY_IDLE;
}

/* Its method sleeps in wait(): the request is that thread's again. */
static bool
wake_sleeper(struct glupy_request *request)
{
    if (!request->offload.sleeper)
        return false;
    glupy_sleeper_wake(request->offload.sleeper);
    return true;
}

void
glupy_request_nudge(struct glupy_request *request)
{
    request->task.nudge.request = request;
    glupy_complete_elsewhere(&request->task.nudge);
}

void
glupy_complete(struct glupy_awaitable *awaitable)
{
    struct glupy_request *request = awaitable->request;
    struct glupy_thread *thread;
    enum glupy_place place;

    if (!push(awaitable) || wake_sleeper(request))
        return;
    place = glupy_place(&thread);
    if (place == GLUPY_WORKER)
        glupy_request_submit(request);
    else
        glupy_request_run(request, thread, place, NULL);
}

void
glupy_complete_elsewhere(struct glupy_awaitable *awaitable)
{
    struct glupy_request *request = awaitable->request;

    if (push(awaitable) && !wake_sleeper(request))
        glupy_request_submit(request);
}
