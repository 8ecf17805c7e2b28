/* Calling stopping(). See stopping.h. */
#include "lifecycle/stopping.h"

#include <stdlib.h>
#include <unistd.h>

#include "instance/replicas.h"
#include "lifecycle/graph_end.h"
#include "lifecycle/stuck.h"
#include "python/main_thread.h"

/* Seconds for all translators of a process that exits. Whoever ended it may not be willing to wait: glusterd gives a service one
 * second before it kills it. A coroutine has three of them (glupy/lifecycle/ends.py). */
#define PATIENCE 5u

void
glupy_stop(struct glupy_instance *self)
{
    struct glupy_thread *thread = glupy_thread_if_any();
    struct glupy_watched_before watched;
    PyObject *result;

    if (!self->life.stops || !self->this)
        return;
    self->life.stops = false;
    watched = glupy_watch_begin(thread, &self->watch, "stopping");
    result = PyObject_CallMethod(self->state->runtime, "stopping", "O", self->translator);
    glupy_watch_end(thread, watched);
    if (!result)
        glupy_log_exception_doing(self, "stopping");
    Py_XDECREF(result);
}

/* An instance that goes is taken away after a call to the main thread, which comes later than this one. */
static void
stop_attached(void *arg)
{
    struct glupy_instance *self = arg;

    if (!self->life.ended)
        glupy_stop(self);
}

static bool
post(struct glupy_instance *primary, void *count)
{
    struct glupy_instance *replica;
    xlator_t *old_this = THIS;

    THIS = primary->this;
    glupy_for_each_replica(replica, primary)
    {
        if (!replica->life.stops)
            continue;
        glupy_main_post(replica->state->interpreter, "stopping()", stop_attached, replica);
        ++*(unsigned *)count;
    }
    THIS = old_this;
    return true;
}

static void
nothing(void *unused)
{
    (void)unused;
}

void
glupy_stop_all(void)
{
    unsigned count = 0;

    glupy_graphs_each(post, &count);
    if (count && !glupy_main_call_within(PATIENCE, 0, "stopping()", nothing, NULL, nothing))
        glupy_stuck_say(THIS, "so this process ends without waiting for stopping() of all translators");
}

static pid_t process;

/* A child that was forked off has the handler, and not the threads. */
static void
at_exit(void)
{
    if (getpid() == process && !glupy_python_gone())
        glupy_stop_all();
}

static void
watch_for_exit(void)
{
    process = getpid();
    atexit(at_exit);
}

void
glupy_watch_for_exit(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, watch_for_exit);
}
