/* Background tasks. See background.h. */
#include "request/background.h"

#include "base/compat.h"

void
glupy_background_count(struct glupy_instance *instance, int by)
{
    pthread_mutex_lock(&instance->lock);
    instance->tasks.count += by;
    if (!instance->tasks.count)
        pthread_cond_broadcast(&instance->calm);
    pthread_mutex_unlock(&instance->lock);
}

struct glupy_request *
glupy_background_new(struct glupy_instance *instance, struct glupy_version *version, PyObject *coroutine,
                     void (*done)(struct glupy_request *), void *arg)
{
    struct glupy_request *request = glupy_request_new(instance, NULL, NULL);

    if (!request) {
        PyErr_NoMemory();
        return NULL;
    }
    Py_INCREF(instance);
    request->version = version;
    if (version)
        version->tasks++;
    request->progress.coroutine = Py_NewRef(coroutine);
    request->progress.was_coroutine = true;
    request->arrival.owns_args = true;
    request->task.done = done;
    request->task.done_arg = arg;
    glupy_stats_called(request->timing.of);
    list_add_tail(&request->task.link, &instance->tasks.list);
    request->task.counted = true;
    glupy_background_count(instance, 1);
    return request;
}

call_frame_t *
glupy_background_make_frame(struct glupy_request *request)
{
    xlator_t *this = request->instance->this;

    if (!this)
        return NULL;
    request->frame = create_frame(this, this->ctx->pool);
    if (!request->frame)
        return NULL;
    if (request->task.pid)
        request->frame->root->pid = request->task.pid;
    if (request->task.owner)
        set_lk_owner_from_ptr(&request->frame->root->lk_owner, request); /* the same whenever it has another frame */
    return request->frame;
}

void
glupy_background_rests(struct glupy_request *request)
{
    if (request->frame)
        STACK_DESTROY(request->frame->root);
    request->frame = NULL;
    request->task.busy = false;
}

void
glupy_background_leaves(struct glupy_request *request)
{
    request->task.counted = false;
    glupy_background_count(request->instance, -1);
}

static void
count_end(struct glupy_request *request, bool failed)
{
    enum glupy_end how = request->task.closed ? GLUPY_CANCELLED : failed ? GLUPY_FAILED : GLUPY_SUCCEEDED;

    glupy_stats_ended(&request->timing, how);
}

static void
leave_version(struct glupy_version *version)
{
    if (version && --version->tasks == 0 && version->replaced && !version->requests)
        version->instance->versions.left(version);
}

/* Nobody else has the interpreter between the task's being done and its being counted. */
void
glupy_background_ended(struct glupy_request *request)
{
    bool failed = request->progress.exception != NULL;

    if (!request->task.done)
        return;
    list_del_init(&request->task.link);
    request->task.done(request);
    request->task.done = NULL;
    count_end(request, failed);
    leave_version(request->version);
    Py_CLEAR(request->progress.outcome);
    Py_CLEAR(request->progress.exception);
}

/* What a task winds before the first CHILD_UP would fail, or hang: until then it waits here. So does one of a version that may
 * turn out not to load after all. */
void
glupy_background_begin(struct glupy_request *request)
{
    struct glupy_instance *instance = request->instance;
    bool wait;

    pthread_mutex_lock(&instance->lock);
    wait = !instance->tasks.up || (request->version && request->version == instance->versions.making);
    if (wait) {
        list_add_tail(&request->job.link, &instance->tasks.held);
        request->task.held = true;
    }
    pthread_mutex_unlock(&instance->lock);
    if (!wait)
        glupy_request_submit(request);
}

static struct glupy_request *
take_held(struct glupy_instance *instance)
{
    struct glupy_request *request = NULL;

    pthread_mutex_lock(&instance->lock);
    instance->tasks.up = true;
    if (!list_empty(&instance->tasks.held)) {
        request = list_first_entry(&instance->tasks.held, struct glupy_request, job.link);
        list_del_init(&request->job.link);
        request->task.held = false;
    }
    pthread_mutex_unlock(&instance->lock);
    return request;
}

void
glupy_background_up(struct glupy_instance *instance)
{
    struct glupy_request *request;

    while ((request = take_held(instance)))
        glupy_request_submit(request);
}

/* One that waits for a child to come up is to end now, and not then. */
static void
let_begin(struct glupy_request *request)
{
    struct glupy_instance *instance = request->instance;
    bool held;

    pthread_mutex_lock(&instance->lock);
    held = request->task.held;
    if (held)
        list_del_init(&request->job.link);
    request->task.held = false;
    pthread_mutex_unlock(&instance->lock);
    if (held)
        glupy_request_submit(request);
}

bool
glupy_background_cancel_one(struct glupy_request *request)
{
    if (request->progress.finished || atomic_exchange(&request->task.cancelled, true))
        return false;
    glupy_request_nudge(request);
    let_begin(request);
    return true;
}

/* What runs elsewhere for its fops. */
static void
tell(struct glupy_instance *instance)
{
    PyObject *before = PyErr_GetRaisedException();
    PyObject *result = PyObject_CallMethod(instance->state->runtime, "going", "O", instance);

    if (!result)
        glupy_log_exception_doing(instance, "cancelling");
    Py_XDECREF(result);
    if (before)
        PyErr_SetRaisedException(before);
}

void
glupy_background_cancel(struct glupy_instance *instance)
{
    struct glupy_request *request, *next;

    instance->tasks.going = true;
    list_for_each_entry_safe(request, next, &instance->tasks.list, task.link)
    {
        glupy_background_cancel_one(request);
    }
    tell(instance);
    glupy_background_up(instance);
}

void
glupy_background_cancel_of(struct glupy_instance *instance, const struct glupy_version *version, bool endless_only)
{
    struct glupy_request *request, *next;

    list_for_each_entry_safe(request, next, &instance->tasks.list, task.link)
    {
        if (request->version == version && (request->task.endless || !endless_only))
            glupy_background_cancel_one(request);
    }
}

void
glupy_background_let_begin(struct glupy_instance *instance)
{
    bool up;

    pthread_mutex_lock(&instance->lock);
    up = instance->tasks.up;
    pthread_mutex_unlock(&instance->lock);
    if (up)
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
    while (instance->tasks.count && !error)
        error = pthread_cond_timedwait(&instance->calm, &instance->lock, &until);
    pthread_mutex_unlock(&instance->lock);
    return !error;
}

PyObject *
glupy_background_drivable(struct glupy_instance *self, PyObject *value)
{
    PyObject *driven;

    if (!glupy_instance_alive(self))
        return NULL;
    if (self->tasks.going) {
        PyErr_SetString(PyExc_RuntimeError, "the graph of this translator is going: no new tasks");
        return NULL;
    }
    if (PyCoro_CheckExact(value))
        return Py_NewRef(value);
    driven = (PyObject *)glupy_awaitable_of(self->state, value);
    if (!driven && !PyErr_Occurred())
        PyErr_Format(PyExc_TypeError, "expected a coroutine or a wind, not %R", value);
    return driven;
}
