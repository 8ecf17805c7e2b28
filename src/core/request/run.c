/* run(): a background task whose end the calling thread waits for. */
#include "request/run.h"

#include "base/compat.h"
#include "request/background.h"

struct wait {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool done;
    PyObject *outcome, *exception;
};

static void
task_done(struct glupy_request *request)
{
    struct wait *wait = request->task.done_arg;

    wait->outcome = request->progress.outcome;
    wait->exception = request->progress.exception;
    request->progress.outcome = request->progress.exception = NULL;
    pthread_mutex_lock(&wait->lock);
    wait->done = true;
    pthread_cond_signal(&wait->wake);
    pthread_mutex_unlock(&wait->lock);
}

static void
wait_for(struct wait *wait)
{
    pthread_mutex_lock(&wait->lock);
    while (!wait->done)
        pthread_cond_wait(&wait->wake, &wait->lock);
    pthread_mutex_unlock(&wait->lock);
}

PyObject *
glupy_instance_run(PyObject *object, PyObject *args)
{
    struct glupy_instance *self = (struct glupy_instance *)object;
    struct wait wait = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
    struct glupy_thread *thread = glupy_thread_if_any();
    struct glupy_request *request;
    PyObject *coroutine, *driven;
    int pid = 0;

    if (!PyArg_ParseTuple(args, "O|i:run", &coroutine, &pid))
        return NULL;
    if (thread && thread->stepping) {
        PyErr_SetString(PyExc_RuntimeError, "run() would block the thread that GlusterFS lent us: await instead");
        return NULL;
    }
    driven = glupy_background_drivable(self, coroutine);
    if (!driven)
        return NULL;
    request = glupy_background_new(self, glupy_background_version(self), driven, task_done, &wait);
    Py_DECREF(driven);
    if (!request)
        return NULL;
    request->task.pid = pid;
    Py_BEGIN_ALLOW_THREADS
    glupy_request_submit(request);
    wait_for(&wait);
    Py_END_ALLOW_THREADS
    if (wait.exception)
        PyErr_SetRaisedException(wait.exception);
    return wait.outcome;
}
