/* An instance's beginning and end: loading the author's class, ending it. */
#include "lifecycle/lifecycle.h"

#include "base/compat.h"
#include "instance/looking.h"
#include "instance/replicas.h"
#include "instance/shared.h"
#include "lifecycle/graph_end.h"
#include "lifecycle/hooks.h"
#include "lifecycle/reload.h"
#include "lifecycle/stopping.h"
#include "lifecycle/stuck.h"
#include "lifecycle/table.h"
#include "python/aside.h"
#include "python/clock.h"
#include "python/main_thread.h"
#include "python/overflow.h"
#include "python/worker.h"
#include "request/background.h"
#include "request/child.h"
#include "request/overdue.h"
#include "request/subject.h"
#include "values/drops_queue.h"
#include "values/holders.h"
#include "values/types/types.h"

/* Seconds that fini() waits for background tasks to end, with what they have wound. */
#define PATIENCE 10u

/* The last one that says so; all are of the first. */
static int
take_flavour(struct glupy_instance *self)
{
    for (const struct glupy_flavour *const *at = self->state->flavours; *at; at++) {
        int adopted = (*at)->adopt(self);

        if (adopted < 0)
            return -1;
        if (adopted)
            self->flavour = *at;
    }
    return 0;
}

/* The Python side, imported late: it needs glupy._core itself. */
static PyObject *
runtime(struct glupy_state *state)
{
    if (!state->runtime)
        state->runtime = PyImport_ImportModule("glupy._runtime");
    return state->runtime;
}

static int
load(struct glupy_instance *self)
{
    PyObject *loaded = NULL, *translator, *methods;
    int failed;

    if (runtime(self->state) && glupy_version_first(self) == 0)
        loaded = PyObject_CallMethod(self->state->runtime, "load", "O", self);
    if (!loaded)
        return -1;
    failed = !PyArg_ParseTuple(loaded, "OO!", &translator, &PyDict_Type, &methods) ||
             glupy_version_first_made(self, translator, methods) != 0 || take_flavour(self) != 0;
    Py_DECREF(loaded);
    return failed ? -1 : 0;
}

/* Seconds in which init() has to return. GlusterFS begins one translator's at a time, in the whole process. */
#define INIT_LIMIT 60u

struct init_call {
    xlator_t *this;
    struct glupy_state *state;
    struct glupy_instance *primary;  /* NULL: it is what is being made */
    struct glupy_instance *making;   /* while it is being made: its only reference */
    struct glupy_instance *instance; /* made */
    atomic_uint owners;
};

/* What a replica is made from. */
static int
inherit(struct glupy_instance *self, struct glupy_instance *primary)
{
    self->replicas.several = true;
    self->replicas.primary = primary;
    self->replicas.origin = malloc(primary->replicas.origin_size ? primary->replicas.origin_size : 1);
    if (!self->replicas.origin) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(self->replicas.origin, primary->replicas.origin, primary->replicas.origin_size);
    self->replicas.origin_size = primary->replicas.origin_size;
    return 0;
}

static int
make(struct glupy_instance *self, struct glupy_instance *primary)
{
    if ((primary && inherit(self, primary) != 0) || load(self) != 0 || !glupy_instance_alive(self))
        return -1;
    return primary ? 0 : glupy_table_make(self);
}

static void idle(struct glupy_instance *self);

static struct glupy_instance *
create(struct glupy_state *state, xlator_t *this)
{
    struct glupy_instance *self = glupy_instance_create(state, this);

    if (!self)
        return NULL;
    self->life.idle = idle;
    self->watch.about = glupy_request_path;
    self->patience.look = glupy_overdue_look;
    self->children = glupy_children_of(self, this);
    if (!self->children)
        Py_CLEAR(self);
    return self;
}

/* What init() has spawned ends with it. */
static void
give_up(struct glupy_instance *self)
{
    glupy_background_cancel(self);
    glupy_instance_forget(self);
}

static void
init_attached(void *arg)
{
    struct init_call *call = arg;
    struct glupy_instance *self = call->making = create(call->state, call->this);
    bool made = self && make(self, call->primary) == 0;

    call->making = NULL;
    if (made && self->this) {
        call->instance = self;
        return;
    }
    if (self && self->this) {
        self->this->loglevel = GF_LOG_NONE; /* as the process: its own log-level must not hide why it goes */
        glupy_log_exception_doing(self, "init");
    }
    PyErr_Clear();
    if (self)
        give_up(self);
    Py_XDECREF(self);
}

/* Its memory stays: nobody knows what else knows of it. */
static void
strand_attached(void *arg)
{
    give_up(arg);
}

/* init() does not return. Its xlator_t goes, and its code finds that out when it goes on. */
static void
abandon_attached(void *arg)
{
    struct init_call *call = arg;

    if (call->making)
        give_up(call->making);
    if (call->instance) { /* it has returned in this moment */
        give_up(call->instance);
        Py_CLEAR(call->instance);
    }
}

static void
release_init(void *arg)
{
    struct init_call *call = arg;

    if (atomic_fetch_sub(&call->owners, 1) == 1)
        free(call);
}

static void
ignore(void *unused)
{
    (void)unused;
}

/* NULL: it was not made, and the log says why. */
static struct glupy_instance *
load_on_main(struct init_call given)
{
    struct init_call *call = malloc(sizeof(*call));
    struct glupy_instance *instance = NULL;
    enum glupy_turn turn;

    if (!call) {
        gf_msg(given.this->name, GF_LOG_ERROR, ENOMEM, 0, "no memory to load a translator");
        return NULL;
    }
    *call = given;
    atomic_init(&call->owners, 2); /* us, and the main thread if it is left with it */
    turn = glupy_main_call_in_turn(PATIENCE, INIT_LIMIT, given.state->interpreter, "init()", init_attached, call, release_init);
    if (turn != GLUPY_MADE)
        glupy_stuck_say(given.this, turn == GLUPY_NO_TURN ? "so this translator is not loaded: try again when that has returned"
                                                          : "so this translator is not loaded");
    if (turn == GLUPY_ENDLESS) {
        if (glupy_aside(PATIENCE, given.state->interpreter, abandon_attached, call, release_init))
            release_init(call);
        return NULL;
    }
    instance = call->instance;
    free(call);
    return instance;
}

static void cancel_attached(void *arg);
static bool end(struct glupy_instance *self);

static void
drop_attached(void *arg)
{
    glupy_instance_forget(arg);
    Py_DECREF(arg);
}

/* The main thread may come back to it. */
static void
forget_attached(void *arg)
{
    glupy_instance_forget(arg);
}

/* Those from the first one on end as if their graph had. The primary, 0, would go last: it knows the others,
 * and is not to be asked for more once it has gone. */
static void
undo_from(struct glupy_instance *primary, unsigned first)
{
    for (unsigned count = primary->replicas.count; count > first;) {
        struct glupy_instance *replica = primary->replicas.list[--count];
        unsigned interpreter = replica->state->interpreter;

        primary->replicas.count = count;
        (void)glupy_aside(PATIENCE, interpreter, cancel_attached, replica, ignore);
        glupy_background_wait(replica, PATIENCE);
        (void)glupy_aside(PATIENCE, interpreter, end(replica) ? drop_attached : forget_attached, replica, ignore);
    }
}

static void
undo(struct glupy_instance *primary)
{
    char space[GLUPY_SPACE_ROOM];

    glupy_space_of(primary->this, space);
    undo_from(primary, 0);
    glupy_shared_drop(space);
}

static void
alone_attached(void *arg)
{
    struct glupy_instance *self = arg;
    PyObject *result = PyObject_CallMethod(self->state->runtime, "alone", "O", self->translator);

    if (!result)
        glupy_log_exception_doing(self, "init");
    Py_XDECREF(result);
}

/* A replica did not come up. In a volume that glusterd made this is no reason for a brick to stay away: the first
 * interpreter serves it (glupy/options/tolerance.py). */
static bool
goes_alone(struct glupy_instance *primary)
{
    if (strncmp(primary->this->type, "user/", 5) != 0)
        return false;
    undo_from(primary, 1);
    primary->replicas.several = false;
    (void)glupy_main_call_within(PATIENCE, 0, "init()", alone_attached, primary, ignore);
    return true;
}

static bool
check_replica(const struct glupy_instance *replica, const struct glupy_instance *primary)
{
    const char *fop = glupy_replica_differs(replica, primary);

    if (fop)
        gf_msg(primary->this->name, GF_LOG_ERROR, 0, 0,
               "%s is not loaded: it handles %s in one interpreter and not, or not in the same way, in another: what a "
               "class defines must not depend on where it is loaded",
               primary->this->name, fop);
    return !fop;
}

/* The other replicas, one after another. */
static bool
replicate(struct glupy_instance *primary)
{
    primary->replicas.several = primary->replicas.wanted > 1;
    while (primary->replicas.count < primary->replicas.wanted) {
        struct init_call call = {.this = primary->this, .state = glupy_interpreter_state(primary->replicas.count),
                                 .primary = primary};
        struct glupy_instance *replica = load_on_main(call);

        if (!replica)
            return false;
        primary->replicas.list[primary->replicas.count++] = replica;
        if (!check_replica(replica, primary))
            return false;
    }
    return true;
}

static int
init(xlator_t *this)
{
    struct glupy_instance *self;
    int error;

    if (!this->children) {
        gf_msg(this->name, GF_LOG_ERROR, 0, 0, "a Python translator needs at least one subvolume to wind to");
        return -1;
    }
    error = glupy_worker_prepare();
    if (error) {
        gf_msg(this->name, GF_LOG_ERROR, error, 0, "no thread for a worker");
        return -1;
    }
    glupy_ticks_start();
    glupy_overflow_watch();
    self = load_on_main((struct init_call){.this = this, .state = glupy_interpreter_state(0)});
    if (!self)
        return -1;
    if (!replicate(self) && !goes_alone(self)) {
        undo(self);
        return -1;
    }
    glupy_graph_joined(self);
    glupy_watch_for_exit();
    this->private = self;
    this->fops = self->slots.own;
    this->cbks = &glupy_cbks;
    return 0;
}

/* GlusterFS does call fini() where a graph was to be attached to a process. */
static void
detach(const glusterfs_graph_t *graph, const struct glupy_instance *primary)
{
    for (xlator_t *any = graph->first; any; any = any->next)
        if (any->private == primary) {
            any->fops = primary->slots.defaults;
            any->private = NULL;
        }
}

/* The graph does not come up: what was loaded into it goes with it. */
static void
strand(const glusterfs_graph_t *graph)
{
    struct glupy_instance *primary, *replica;

    while (graph && (primary = glupy_graph_stranded(graph))) {
        detach(graph, primary);
        glupy_for_each_replica(replica, primary)
            (void)glupy_aside(PATIENCE, replica->state->interpreter, strand_attached, replica, ignore);
    }
}

int32_t
glupy_init(xlator_t *this)
{
    int failed = init(this);

    if (failed)
        strand(this->graph);
    return failed;
}

static void
cancel_attached(void *arg)
{
    glupy_background_cancel(arg);
}

static void
say_if_not(xlator_t *this, bool done, const char *what)
{
    if (!done)
        gf_msg(this->name, GF_LOG_ERROR, 0, 0, "%s after %u seconds", what, PATIENCE);
}

/* What an author's own objects held may still be waiting, in a free-threaded build, for threads for which no fop will come
 * (glupy_disown). A collection looks through what waits for any of them. */
#ifdef Py_GIL_DISABLED
static void
collect_attached(void *unused)
{
    (void)unused;
    PyGC_Collect();
}

static void
drop_nothing(void *unused)
{
    (void)unused;
}

static void
end_what_waits(struct glupy_instance *self)
{
    struct glupy_instance *replica;

    glupy_for_each_replica(replica, self)
        (void)glupy_main_call_within(PATIENCE, replica->state->interpreter, "fini()", collect_attached, NULL, drop_nothing);
}
#else
static void
end_what_waits(struct glupy_instance *self)
{
    (void)self;
}
#endif

/* What must have ended when the graph goes. */
void
glupy_wait_for_rest(struct glupy_instance *self)
{
    struct glupy_instance *replica;
    bool calm = true;

    glupy_for_each_replica(replica, self)
        calm = glupy_background_wait(replica, PATIENCE) && calm;
    say_if_not(self->this, calm, "a background task has not ended");
    say_if_not(self->this, glupy_hooks_settle(self, PATIENCE), "a hook for an inode or fd that ended still runs");
    end_what_waits(self);
    say_if_not(self->this, glupy_drops_settle(PATIENCE), "references that Python gave up are still being released");
}

/* The author's fini(), once: at PARENT_DOWN when the last request has left, else when GlusterFS takes the graph down. */
static void
end_attached(void *arg)
{
    struct glupy_instance *self = arg;

    if (self->life.ended || !self->this)
        return;
    glupy_stop(self); /* where PARENT_DOWN has not come by */
    self->life.ended = true;
    glupy_hooks_silence(self);
    glupy_table_let_in(self, false);
    glupy_versions_end(self);
    glupy_call_fini(self, self->translator);
}

/* As posted when the last request left; others may have come since. */
static void
end_if_idle_attached(void *arg)
{
    struct glupy_instance *self = arg;

    if (self->this && !self->life.requests)
        end_attached(self);
    Py_DECREF(self);
}

/* No fop is inside any more, or PARENT_DOWN has gone by: fini(), if both are so. */
static void
idle(struct glupy_instance *self)
{
    xlator_t *old_this = THIS;

    if (!self->life.down || self->life.ended || self->life.requests)
        return;
    Py_INCREF(self);
    THIS = self->this;
    glupy_main_post(self->state->interpreter, "fini()", end_if_idle_attached, self);
    THIS = old_this;
}

/* Taking an instance away. It is done on a thread of its own: the main thread may be at something that never ends. */
struct farewell {
    struct glupy_instance *instance;
    bool keep;   /* somebody may still come back to it: contexts stay, and the instance's own memory */
    bool insist; /* however many threads are away */
    bool done;
};

static void
farewell_attached(void *arg)
{
    struct farewell *call = arg;
    struct glupy_instance *self = call->instance;

    if (!glupy_graph_empty(self) && !call->insist)
        return;
    call->done = true;
    glupy_look_bar();
    if (!call->keep)
        glupy_contexts_end(self);
    glupy_look_unbar();
    glupy_rest_lose(self);
    glupy_instance_forget(self);
    if (!call->keep && !atomic_load(&self->life.late))
        Py_DECREF(self);
}

/* Whether it is done. */
static bool
try_farewell(struct farewell farewell)
{
    struct farewell *call = malloc(sizeof(*call));
    bool done = true;

    if (!call)
        return true;
    *call = farewell;
    if (glupy_aside(PATIENCE, call->instance->state->interpreter, farewell_attached, call, free)) {
        done = call->done;
        free(call);
    }
    return done;
}

static void
take_away(struct glupy_instance *self, bool keep)
{
    const struct timespec moment = {.tv_nsec = 2000000};
    uint64_t until = glupy_now() + PATIENCE * UINT64_C(1000000000);
    struct farewell farewell = {.instance = self, .keep = keep};

    while (!try_farewell(farewell)) {
        farewell.insist = glupy_now() > until;
        nanosleep(&moment, NULL);
    }
}

struct left_graph {
    struct glupy_state *state;
    const glusterfs_graph_t *graph;
};

static void
forget_tables_attached(void *arg)
{
    struct left_graph *left = arg;

    glupy_tables_ended(left->state, left->graph);
}

/* The last of a graph's translators has gone: another graph's tables may come to stand where its were. Any interpreter may
 * have known them, by another translator of the graph than this one. */
static void
forget_tables(const glusterfs_graph_t *graph)
{
    for (unsigned i = 0; i < glupy_interpreters_made(); i++) {
        struct glupy_state *state = glupy_interpreter_state(i);
        struct left_graph *left = state ? malloc(sizeof(*left)) : NULL;

        if (!left)
            continue;
        *left = (struct left_graph){.state = state, .graph = graph};
        if (glupy_aside(PATIENCE, i, forget_tables_attached, left, free))
            free(left);
    }
}

/* The author's fini(). False: Python's main thread does not come to it. */
static bool
end(struct glupy_instance *self)
{
    return glupy_main_call_within(PATIENCE, self->state->interpreter, "fini()", end_attached, self, ignore);
}

void
glupy_fini(xlator_t *this)
{
    struct glupy_instance *self = this->private, *replica;
    char space[GLUPY_SPACE_ROOM];
    const glusterfs_graph_t *graph = this->graph;
    bool calm, ended = true;

    if (!self || glupy_python_gone())
        return;
    glupy_space_of(this, space);
    glupy_for_each_replica(replica, self)
        (void)glupy_aside(PATIENCE, replica->state->interpreter, cancel_attached, replica, ignore);
    glupy_wait_for_rest(self);
    this->fops = self->slots.defaults;
    calm = glupy_hooks_end(self, PATIENCE); /* before fini(): what has ended is what fini() finds ended */
    say_if_not(this, calm, "a hook for an inode or fd that ended still runs");
    glupy_for_each_replica(replica, self)
        ended = end(replica) && ended;
    if (!ended)
        glupy_stuck_say(this, "so fini() is not called");
    glupy_contexts_unchain(self);
    glupy_graph_left(self);
    for (unsigned i = self->replicas.count; i-- > 0;) /* the primary last: it knows the others */
        take_away(self->replicas.list[i], !calm || !ended);
    if (glupy_graph_is_left(graph))
        forget_tables(graph);
    glupy_shared_drop(space);
}
