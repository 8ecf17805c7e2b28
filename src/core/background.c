/* Background tasks. See background.h. */
#include "background.h"

static void
count_busy(struct glupy_instance *instance, int by)
{
    pthread_mutex_lock(&instance->lock);
    instance->busy += by;
    if (!instance->busy)
        pthread_cond_broadcast(&instance->calm);
    pthread_mutex_unlock(&instance->lock);
}

struct glupy_request *
glupy_background_new(struct glupy_instance *instance, PyObject *coroutine, void (*done)(struct glupy_request *),
                     void *arg)
{
    struct glupy_request *request = glupy_request_new(instance, NULL, NULL);

    if (!request) {
        PyErr_NoMemory();
        return NULL;
    }
    Py_INCREF(instance);
    request->coroutine = Py_NewRef(coroutine);
    request->was_coroutine = true;
    request->owns_args = true;
    request->done = done;
    request->done_arg = arg;
    glupy_stats_task_begins(instance);
    list_add_tail(&request->link, &instance->background);
    return request;
}

call_frame_t *
glupy_background_make_frame(struct glupy_request *request)
{
    xlator_t *this = request->instance->this;

    if (!this)
        return NULL;
    return request->frame = create_frame(this, this->ctx->pool);
}

/* Attached, hence before or after a cancel, never beside it: fini() waits for what is armed. */
void
glupy_background_arms(struct glupy_request *request)
{
    if (request->busy)
        return;
    request->busy = true;
    count_busy(request->instance, 1);
}

void
glupy_background_rests(struct glupy_request *request)
{
    if (request->frame)
        STACK_DESTROY(request->frame->root);
    request->frame = NULL;
    request->busy = false;
    count_busy(request->instance, -1);
}

void
glupy_background_ended(struct glupy_request *request)
{
    if (!request->done)
        return;
    list_del_init(&request->link);
    request->task_failed = request->exception != NULL;
    request->done(request);
    request->done = NULL;
    Py_CLEAR(request->outcome);
    Py_CLEAR(request->exception);
}

/* What a task winds before the first CHILD_UP would fail, or hang: until then it waits here. */
void
glupy_background_begin(struct glupy_request *request)
{
    struct glupy_instance *instance = request->instance;
    bool wait;

    pthread_mutex_lock(&instance->lock);
    wait = !instance->up;
    if (wait) {
        request->job.next = NULL;
        *instance->last_held = &request->job;
        instance->last_held = &request->job.next;
    }
    pthread_mutex_unlock(&instance->lock);
    if (!wait)
        glupy_request_submit(request);
}

void
glupy_background_up(struct glupy_instance *instance)
{
    struct glupy_job *job, *next;

    pthread_mutex_lock(&instance->lock);
    instance->up = true;
    job = instance->held;
    instance->held = NULL;
    instance->last_held = &instance->held;
    pthread_mutex_unlock(&instance->lock);
    for (; job; job = next) {
        next = job->next;
        glupy_request_submit((void *)((char *)job - offsetof(struct glupy_request, job)));
    }
}

bool
glupy_background_cancel_one(struct glupy_request *request)
{
    if (atomic_exchange(&request->cancelled, true))
        return false;
    glupy_request_nudge(request);
    return true;
}

void
glupy_background_cancel(struct glupy_instance *instance)
{
    struct glupy_request *request, *next;

    instance->going = true;
    list_for_each_entry_safe(request, next, &instance->background, link)
    {
        glupy_background_cancel_one(request);
    }
    glupy_background_up(instance);
}

bool
glupy_background_wait(struct glupy_instance *instance, unsigned seconds)
{
    struct timespec until;
    int error = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&instance->lock);
    while (instance->busy && !error)
        error = pthread_cond_timedwait(&instance->calm, &instance->lock, &until);
    pthread_mutex_unlock(&instance->lock);
    return !error;
}
