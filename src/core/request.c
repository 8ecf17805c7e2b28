/* Running requests. See request.h for the whole of it. */
#include "request.h"

#include "answer.h"
#include "background.h"
#include "call.h"
#include "classic.h"
#include "compat.h"
#include "context.h"
#include "frame.h"
#include "log.h"
#include "offload.h"
#include "replicas.h"
#include "types/types.h"
#include "watch.h"
#include "wind.h"

/* One stay inside the interpreter. */
struct run {
    struct glupy_request *request;
    const void *passed; /* the caller's arguments, while they are valid */
    bool first;
    bool own_args; /* asked for: the caller is about to go */
    bool answered;
    struct glupy_answer *answer;
};

static int
wrap_args(struct glupy_request *request, const void *passed)
{
    const struct glupy_fop *fop = request->fop;
    PyObject **args = glupy_request_args(request);

    request->argv[1] = glupy_frame_new(request->instance->state, request);
    if (!request->argv[1])
        return -1;
    for (unsigned i = 0; i < fop->nargs; i++) {
        args[i] = fop->args[i].kind->wrap(request->instance->state, glupy_passed(&fop->args[i], passed));
        if (!args[i])
            return -1;
        glupy_set_owner(fop->args[i].kind, args[i], request->instance);
        if (!request->instance->table)
            request->instance->table = glupy_table_of(fop->args[i].kind, args[i]);
    }
    return 0;
}

/* Argument i in the caller's memory or its copy, by the wrapper or by the classic API's own record. */
static void *
argument(struct glupy_request *request, unsigned i, const struct glupy_kind *kind)
{
    PyObject *object = glupy_request_args(request)[i];

    if (!request->fop || request->fop->args[i].kind != kind)
        return NULL;
    if (request->classic)
        return *(void **)glupy_passed(&request->fop->args[i], &request->classic->args);
    if (!object || object == Py_None)
        return NULL;
    return kind == &glupy_kind_loc ? (void *)((struct glupy_loc *)object)->loc : ((struct glupy_reference *)object)->fd;
}

loc_t *
glupy_request_loc(struct glupy_request *request, unsigned i)
{
    return argument(request, i, &glupy_kind_loc);
}

fd_t *
glupy_request_fd(struct glupy_request *request, unsigned i)
{
    return argument(request, i, &glupy_kind_fd);
}

bool
glupy_request_place(struct glupy_request *request, const char **path, inode_t **inode)
{
    for (unsigned i = 0; request->fop && i < request->fop->nargs; i++) {
        loc_t *loc = glupy_request_loc(request, i);
        fd_t *fd = glupy_request_fd(request, i);

        *path = loc ? loc->path : NULL;
        *inode = loc ? loc->inode : fd ? fd->inode : NULL;
        if (*path || (*inode && (*inode)->table))
            return true;
    }
    return false;
}

/* The call as it came, as a wind. A new reference. */
static PyObject *
same_call(struct glupy_request *request)
{
    PyObject *child = PyTuple_GET_ITEM(request->instance->children, 0);

    return glupy_child_call(child, request->fop, glupy_request_args(request), request->fop->nargs, NULL);
}

/* A tail wind that cannot be one, because its reply has to be seen, becomes a wind to be awaited in the fop's stead. */
static bool
can_tail(struct glupy_request *request, PyObject *wind)
{
    return glupy_wind_can_tail(wind) && !glupy_contexts_want_reply(request);
}

/* The method has returned: with its answer, or with a coroutine to drive. */
static void
take_result(struct glupy_request *request, PyObject *result)
{
    unaryfunc await;

    if (result == Py_None && glupy_contexts_want_reply(request))
        Py_SETREF(result, same_call(request));
    if (!result) {
        request->exception = PyErr_GetRaisedException();
        request->finished = true;
        return;
    }
    await = Py_TYPE(result)->tp_as_async ? Py_TYPE(result)->tp_as_async->am_await : NULL;
    if (!await || (glupy_is_wind(result) && can_tail(request, result))) {
        request->outcome = result;
        request->finished = true;
        return;
    }
    request->was_coroutine = true;
    if (PyCoro_CheckExact(result)) {
        request->coroutine = result;
    } else {
        request->coroutine = await(result);
        Py_DECREF(result);
    }
    if (request->coroutine) {
        glupy_step(request, NULL);
    } else {
        request->exception = PyErr_GetRaisedException();
        request->finished = true;
    }
}

static PyObject *
call_method(struct glupy_request *request)
{
    ptrdiff_t at = request->fop - glupy_fops;
    PyObject *method = request->instance->methods[at];

    if (request->instance->takes_call[at])
        return glupy_call_any(request, method);
    return PyObject_Vectorcall(method, &request->argv[1],
                               (1u + request->fop->nargs) | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

/* It was on its way to a worker when the author's fini() was called. Its arguments have no wrappers. */
static void
pass_by(struct glupy_request *request)
{
    request->outcome = Py_NewRef(Py_None);
    request->finished = true;
}

static void
start(struct glupy_request *request, const void *passed)
{
    if (request->fop) {
        Py_INCREF(request->instance);
        request->instance->requests++;
    }
    if (!request->fop)
        glupy_step(request, NULL);
    else if (request->instance->ended)
        pass_by(request);
    else if (request->instance->classic)
        glupy_classic_start(request, passed);
    else if (wrap_args(request, passed) != 0)
        take_result(request, NULL);
    else
        take_result(request, call_method(request));
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
        if (first == &request->nudge)
            continue;
        first->stage = GLUPY_DONE;
        request->outstanding--;
        if (first->ops->landed)
            first->ops->landed(first, request);
        glupy_deliver(request, first);
        Py_DECREF(first);
    }
}

static void
own_args(struct run *run)
{
    struct glupy_request *request = run->request;

    for (unsigned i = 0; request->fop && i < request->fop->nargs; i++) {
        PyObject *object = glupy_request_args(request)[i];

        if (object && object != Py_None && request->fop->args[i].kind->own &&
            request->fop->args[i].kind->own(object) != 0)
            PyErr_Clear(); /* the wrapper is empty now, which is safe */
    }
    if (request->classic)
        glupy_classic_own(request);
    glupy_rest_locate(request);
    request->owns_args = true;
    run->own_args = false;
    run->passed = NULL;
}

/* A method with @offload; what it awaits if it is a coroutine is no matter of a thread's. */
static bool
may_block(const struct glupy_request *request)
{
    return request->offloaded && !request->was_coroutine;
}

static struct glupy_watched
watch(struct glupy_thread *thread, struct glupy_request *request)
{
    return glupy_watch_begin(thread, may_block(request) ? NULL : request->instance,
                             request->fop ? request->fop->name : "task");
}

static void
run_step(struct glupy_thread *thread, void *arg)
{
    struct run *run = arg;
    struct glupy_request *outer = thread->stepping;
    struct glupy_watched watched;

    thread->stepping = run->request;
    glupy_stats_step_begins(thread, run->request);
    watched = watch(thread, run->request);
    run->request->answer = run->answer;
    if (run->first)
        start(run->request, run->passed);
    run->first = false;
    if (run->own_args)
        own_args(run);
    if (atomic_load_explicit(&run->request->ready, memory_order_relaxed))
        glupy_request_land(run->request);
    if (atomic_load_explicit(&run->request->cancelled, memory_order_relaxed))
        glupy_step(run->request, NULL); /* which ends a cancelled coroutine */
    if (run->request->finished && !run->request->fop && !run->request->busy)
        glupy_background_ended(run->request);
    glupy_watch_end(thread, watched); /* the author's code has run; the instance may go with the request */
    if (run->request->finished && run->request->outstanding == 0 && !run->request->busy && !run->request->counted) {
        glupy_answer_prepare(run->answer, run->request, run->passed);
        run->answered = true;
    } else {
        glupy_stats_step_ends(run->request);
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
    struct glupy_activity before = glupy_stats_enters(thread, run->request);

    glupy_call_python(thread, place, run->request->interpreter, may_block(run->request) ? GLUPY_LONG : GLUPY_SHORT,
                      run_step, run);
    glupy_stats_left(thread, &before);
}

static void
run_request(struct run *run, struct glupy_thread *thread, enum glupy_place place)
{
    struct glupy_request *request = run->request;

    for (;;) {
        call_python(run, thread, place);
        if (run->answered) {
            glupy_answer_deliver(run->answer, thread, place);
            return;
        }
        if (request->to_wind)
            glupy_wind_all(request);
        if (atomic_load_explicit(&request->ready, memory_order_relaxed))
            continue; /* a synchronous child */
        if (request->busy && !request->winds) {
            glupy_background_rests(request);
            if (request->finished)
                continue;
        } else if (request->counted && !request->busy) {
            glupy_background_calms(request);
            continue;
        }
        if (!request->owns_args)
            run->own_args = true;
        else if (glupy_request_rests(request))
            return;
    }
}

void
glupy_request_run(struct glupy_request *request, struct glupy_thread *thread, enum glupy_place place,
                  const void *passed)
{
    struct glupy_answer answer;
    struct run run = {.request = request, .passed = passed, .first = !request->started, .answer = &answer};

    request->started = true;
    glupy_rest_end(request);
    run_request(&run, thread, place);
}

/* On a worker: the request is ours, here is a stack to run it on, and we stand in for the caller whose arguments it
 * was given. */
static void
run_on_worker(struct glupy_job *job)
{
    struct glupy_request *request = (void *)((char *)job - offsetof(struct glupy_request, job));
    const struct glupy_fop *fop = request->fop;
    void *late_args = request->late_args;
    union glupy_any_args passed;
    struct glupy_thread *thread;
    enum glupy_place place = glupy_place(&thread);
    xlator_t *old_this = THIS;

    if (place == GLUPY_WORKER)
        return; /* Python is being finalised under us; nobody can be answered any more */
    THIS = request->instance->this;
    request->late_args = NULL;
    if (late_args)
        glupy_fields_lend(fop->args, fop->nargs, late_args, &passed);
    glupy_request_run(request, thread, place, late_args ? &passed : NULL);
    if (late_args) {
        glupy_fields_drop(fop->args, fop->nargs, late_args);
        free(late_args);
    }
    THIS = old_this;
}

void
glupy_request_submit(struct glupy_request *request)
{
    request->job.run = run_on_worker;
    if (request->offloaded && !request->started)
        glupy_worker_submit_blocking(&request->job);
    else
        glupy_worker_submit(&request->job);
}

/* How many requests that have ended a thread keeps for its next ones: an allocation and its end take longer than most
 * of what a request goes through. Several, because layers of ours may stand on one another. The address sanitizer is to
 * see each request end. */
#if defined(__SANITIZE_ADDRESS__)
#define MOST_SPARES 0
#else
#define MOST_SPARES 16
#endif

static struct glupy_request *
take_spare(struct glupy_thread *thread)
{
    struct glupy_request *request = thread ? thread->spares : NULL;

    if (!request)
        return NULL;
    thread->spares = request->next_spare;
    thread->nspares--;
    memset(request, 0, sizeof(*request));
    return request;
}

void
glupy_request_free(struct glupy_request *request)
{
    struct glupy_thread *thread = glupy_thread_if_any();

    if (thread && thread->nspares < MOST_SPARES) {
        request->next_spare = thread->spares;
        thread->spares = request;
        thread->nspares++;
    } else {
        free(request);
    }
}

void
glupy_request_free_spares(struct glupy_thread *thread)
{
    struct glupy_request *request, *next;

    for (request = thread->spares; request; request = next) {
        next = request->next_spare;
        free(request);
    }
}

struct glupy_request *
glupy_request_new(struct glupy_instance *instance, call_frame_t *frame, const struct glupy_fop *fop)
{
    struct glupy_request *request = take_spare(glupy_thread_if_any());

    if (!request)
        request = calloc(1, sizeof(*request));
    if (!request)
        return NULL;
    request->instance = instance;
    request->interpreter = instance->state->interpreter;
    request->frame = frame;
    request->fop = fop;
    return request;
}

static void
refuse(struct glupy_instance *instance, call_frame_t *frame, const struct glupy_fop *fop, int32_t op_errno)
{
    union glupy_any_reply nothing;

    glupy_stats_refused(instance, fop);
    memset(&nothing, 0, sizeof(nothing));
    fop->unwind(frame, -1, op_errno, &nothing);
}

/* A stack on which no Python may run, or a method that may block its thread: keep the arguments, let a worker stand
 * in. */
static void
enter_late(struct glupy_request *request, const void *passed)
{
    const struct glupy_fop *fop = request->fop;

    request->late_args = malloc(fop->args_held_size);
    if (!request->late_args || glupy_fields_hold(fop->args, fop->nargs, request->late_args, passed) != 0) {
        refuse(request->instance, request->frame, fop, ENOMEM);
        free(request->late_args);
        glupy_request_free(request);
        return;
    }
    glupy_request_submit(request);
}

/* A thread's first time takes the interpreter, to get a state of its own. */
static enum glupy_place
arrive(struct glupy_instance *instance, struct glupy_thread **thread)
{
    bool first = !glupy_thread_if_any();
    enum glupy_place place;

    if (first)
        atomic_fetch_add_explicit(&instance->stats.arriving, 1, memory_order_relaxed);
    place = glupy_place(thread);
    if (first)
        atomic_fetch_sub_explicit(&instance->stats.arriving, 1, memory_order_relaxed);
    return place;
}

void
glupy_enter_fop(call_frame_t *frame, xlator_t *this, const struct glupy_fop *fop, const void *passed)
{
    struct glupy_instance *instance = glupy_replica_for(glupy_instance_of(this), fop, passed);
    struct glupy_thread *thread;
    struct glupy_request *request;
    bool offloaded = instance->offloaded[fop - glupy_fops];
    enum glupy_place place;

    glupy_stats_called(instance, fop);
    place = offloaded ? GLUPY_WORKER : arrive(instance, &thread);
    if (glupy_python_gone()) {
        refuse(instance, frame, fop, EIO);
        return;
    }
    request = glupy_request_new(instance, frame, fop);
    if (!request) {
        refuse(instance, frame, fop, ENOMEM);
        return;
    }
    request->offloaded = offloaded;
    if (place == GLUPY_WORKER)
        enter_late(request, passed);
    else
        glupy_request_run(request, thread, place, passed);
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
    if (!request->sleeper)
        return false;
    glupy_sleeper_wake(request->sleeper);
    return true;
}

void
glupy_request_nudge(struct glupy_request *request)
{
    request->nudge.request = request;
    glupy_complete_elsewhere(&request->nudge);
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
