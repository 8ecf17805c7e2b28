/* Events. See events.h.
 *
 * The author's notify() hears of an event before it goes on, whichever way it goes: at CHILD_UP the child can be used and
 * nobody above asks for anything yet; at PARENT_DOWN the children are still there. It runs on Python's main thread, as
 * all hooks do, so events of one instance come to it in the order in which they came to us. GlusterFS's thread, which may
 * be the only one of a connection, or a synctask, waits for it only for a time; then the event goes on. An instance
 * without notify() never waits, but at PARENT_DOWN. */
#include "lifecycle/events.h"

#include "base/compat.h"
#include "instance/replicas.h"
#include "lifecycle/graph_end.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/stopping.h"
#include "lifecycle/stuck.h"
#include "observe/log.h"
#include "observe/watch.h"
#include "python/main_thread.h"
#include "request/background.h"
#include "request/child.h"

#define PATIENCE 10u /* seconds */

struct event {
    struct glupy_instance *instance;
    int32_t event;
    xlator_t *child; /* whom it is about, if it is a child of ours */
    bool hold;       /* the author keeps it */
};

static PyObject *
child_object(struct event *event)
{
    PyObject *children = event->instance->children;

    for (Py_ssize_t i = 0; event->child && i < PyTuple_GET_SIZE(children); i++)
        if (((struct glupy_child *)PyTuple_GET_ITEM(children, i))->xlator == event->child)
            return PyTuple_GET_ITEM(children, i);
    return Py_None;
}

static void
call_hook(struct event *event)
{
    struct glupy_instance *self = event->instance;
    struct glupy_thread *thread = glupy_thread_if_any();
    struct glupy_watched_before watched = glupy_watch_begin(thread, &self->watch, "notify");
    PyObject *result = PyObject_CallMethod(self->state->runtime, "notify", "OiO", self->translator, (int)event->event,
                                           child_object(event));

    glupy_watch_end(thread, watched);
    event->hold = result == Py_False;
    if (!result)
        glupy_log_exception_doing(self, "notify");
    Py_XDECREF(result);
}

static void
event_attached(void *arg)
{
    struct event *event = arg;
    struct glupy_instance *self = event->instance;

    if (!self->this)
        return;
    if (event->event == GF_EVENT_PARENT_DOWN)
        glupy_stop(self);
    if (self->life.hears && !self->life.ended)
        call_hook(event);
    if (event->event == GF_EVENT_PARENT_DOWN)
        glupy_background_cancel(self);
}

/* The children have heard of PARENT_DOWN. */
static void
down_attached(void *arg)
{
    struct glupy_instance *self = arg;

    self->life.down = true;
    self->life.idle(self);
}

static void
nothing(void *unused)
{
    (void)unused;
}

static xlator_t *
child_of(xlator_t *this, void *data)
{
    for (xlator_list_t *child = this->children; child; child = child->next)
        if (child->xlator == data)
            return data;
    return NULL;
}

/* False when the author keeps the event. */
static bool
goes_on(struct glupy_instance *self, int32_t number, void *data)
{
    xlator_t *this = self->this;
    struct event *event = malloc(sizeof(*event));
    bool hold;

    if (!event)
        return true;
    *event = (struct event){.instance = self, .event = number, .child = child_of(this, data)};
    if (!glupy_main_call_within(PATIENCE, self->state->interpreter, "notify()", event_attached, event, free)) {
        glupy_stuck_say(this, "so event %d goes on before notify() has heard of it", number);
        return true;
    }
    hold = event->hold;
    free(event);
    return !hold;
}

/* Afterwards the instance may be gone. */
static void
go_down(struct glupy_instance *self)
{
    struct glupy_instance *replica;

    glupy_wait_for_rest(self);
    glupy_for_each_replica(replica, self)
        glupy_main_post(replica->state->interpreter, "fini()", down_attached, replica);
    glupy_graph_passed(self);
}

static void
cancel_attached(void *arg)
{
    struct glupy_instance *self = arg;

    if (self->this)
        glupy_stop(self);
    glupy_background_cancel(self);
}

/* GlusterFS sends PARENT_DOWN to what stands below the top of a brick that is detached, and goes on when the children have said
 * that they are down. What stands at the top hears of that only. */
static bool
is_top_that_goes(xlator_t *this, int32_t event)
{
    return event == GF_EVENT_CHILD_DOWN && this->cleanup_starting;
}

static void
go_down_as_top(struct glupy_instance *self)
{
    struct glupy_instance *replica;

    if (self->life.passed)
        return;
    glupy_for_each_replica(replica, self)
        (void)glupy_main_call_within(PATIENCE, replica->state->interpreter, "stopping()", cancel_attached, replica, nothing);
    go_down(self);
}

/* A brick leaves a process that goes on. Its clients and their requests have gone before. storage/posix waits, when it hears of
 * this, for fds that are being closed, and is freed soon afterwards; a thread of its own closes what is released later, and
 * follows a pointer that is NULL by then. So what Python keeps is given up before it hears. */
static bool
is_detached(int32_t event, const xlator_t *victim)
{
    return event == GF_EVENT_PARENT_DOWN && victim && victim->cleanup_starting;
}

int32_t
glupy_notify(xlator_t *this, int32_t event, void *data)
{
    struct glupy_instance *self = this->private, *replica;
    bool ends = event == GF_EVENT_PARENT_DOWN, passes = true;
    int32_t result;

    if (!self || glupy_python_gone())
        return default_notify(this, event, data);
    if (event == GF_EVENT_PARENT_UP)
        glupy_graph_up(self);
    glupy_for_each_replica(replica, self)
        if (replica->life.hears || ends)
            passes = goes_on(replica, event, data) && passes;
    if (is_top_that_goes(this, event))
        go_down_as_top(self);
    if (is_detached(event, data))
        go_down(self);
    result = passes ? default_notify(this, event, data) : 0;
    if (event == GF_EVENT_CHILD_UP)
        glupy_for_each_replica(replica, self)
            glupy_background_up(replica); /* now fuse and libgfapi have made the inode table */
    /* What background tasks have wound, and hooks, are waited for only now: the event may be what makes the children answer. */
    if (ends && !is_detached(event, data))
        go_down(self);
    return result;
}

/* An event of the translator's own: as xlator_notify() for the layers next to it, and for the top of a graph what owns
 * the graph (fuse, libgfapi), as default_notify() has it. */
static void
send_up(xlator_t *this, int32_t event)
{
    xlator_t *root = this->ctx->root;

    if (!this->parents && root)
        xlator_notify(root, event, this->graph);
    for (xlator_list_t *parent = this->parents; parent; parent = parent->next)
        if (parent->xlator->init_succeeded)
            xlator_notify(parent->xlator, event, this);
}

static void
send_down(xlator_t *this, int32_t event)
{
    for (xlator_list_t *child = this->children; child; child = child->next)
        xlator_notify(child->xlator, event, this);
}

static PyObject *
send_event(PyObject *object, PyObject *number, void (*way)(xlator_t *, int32_t))
{
    xlator_t *this = glupy_instance_alive((struct glupy_instance *)object), *old_this = THIS;
    long event = PyLong_AsLong(number);

    if (!this || (event == -1 && PyErr_Occurred()))
        return NULL;
    if (event < 1 || event >= GF_EVENT_MAXVAL)
        return PyErr_Format(PyExc_ValueError, "expected an event of GlusterFS's (1 to %d), not %ld", GF_EVENT_MAXVAL - 1,
                            event);
    Py_BEGIN_ALLOW_THREADS
    THIS = this;
    way(this, (int32_t)event);
    THIS = old_this;
    Py_END_ALLOW_THREADS
    Py_RETURN_NONE;
}

PyObject *
glupy_instance_notify_up(PyObject *self, PyObject *event)
{
    return send_event(self, event, send_up);
}

PyObject *
glupy_instance_notify_down(PyObject *self, PyObject *event)
{
    return send_event(self, event, send_down);
}

static const struct {
    const char *name;
    int number;
} events[] = {
#define EVENT(name) {#name, GF_EVENT_##name}
    EVENT(PARENT_UP),       EVENT(POLLIN),         EVENT(POLLOUT),
    EVENT(POLLERR),         EVENT(CHILD_UP),       EVENT(CHILD_DOWN),
    EVENT(CHILD_CONNECTING), EVENT(CLEANUP),       EVENT(TRANSPORT_CONNECTED),
    EVENT(VOLFILE_MODIFIED), EVENT(GRAPH_NEW),     EVENT(TRANSLATOR_INFO),
    EVENT(TRANSLATOR_OP),   EVENT(AUTH_FAILED),    EVENT(VOLUME_DEFRAG),
    EVENT(PARENT_DOWN),     EVENT(VOLUME_BARRIER_OP), EVENT(UPCALL),
    EVENT(SCRUB_STATUS),    EVENT(SOME_DESCENDENT_DOWN), EVENT(SCRUB_ONDEMAND),
    EVENT(SOME_DESCENDENT_UP), EVENT(CHILD_PING),
#if GF_GLUSTER_SERIES >= 11
    EVENT(SIGHUP),
#endif
};

/* 8 is no event. */
_Static_assert(sizeof(events) / sizeof(events[0]) == GF_EVENT_MAXVAL - 2, "events.c does not have all of GF_EVENT_*");

int
glupy_add_events(PyObject *module)
{
    PyObject *dict = PyDict_New();

    for (unsigned i = 0; dict && i < sizeof(events) / sizeof(events[0]); i++) {
        PyObject *number = PyLong_FromLong(events[i].number);

        if (!number || PyDict_SetItemString(dict, events[i].name, number) != 0)
            Py_CLEAR(dict);
        Py_XDECREF(number);
    }
    return PyModule_Add(module, "EVENTS", dict);
}
