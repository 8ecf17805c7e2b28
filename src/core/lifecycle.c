/* An instance's beginning and end: loading the author's class, giving the xlator_t its own table of fops. */
#include "lifecycle.h"

#include "background.h"
#include "classic.h"
#include "compat.h"
#include "drops_queue.h"
#include "log.h"
#include "holders.h"
#include "hooks.h"
#include "main_thread.h"
#include "replicas.h"
#include "shared.h"
#include "sight.h"
#include "types/types.h"
#include "worker.h"

/* Seconds that fini() waits for children to answer what background tasks have wound. */
#define PATIENCE 10u

/* The slot of a fop in a table. */
static void **
slot_of(struct xlator_fops *fops, const struct glupy_fop *fop)
{
    return (void **)((char *)fops + fop->slot);
}

/* A table of the instance's own: what the class does not define keeps GlusterFS's default, and so never enters our
 * code. It must be writable, since STACK_WIND stores callbacks in it. */
static int
make_fops(struct glupy_instance *self)
{
    self->fops = malloc(sizeof(*self->fops));
    if (!self->fops) {
        PyErr_NoMemory();
        return -1;
    }
    *self->fops = *self->this->fops;
    glupy_sight_take_slots(self);
    self->default_fops = self->this->fops;
    glupy_instance_let_in(self, !self->disabled);
    return 0;
}

/* The slots are stored one by one, and the table stays where it is: STACK_WIND reads a fop from it and takes the fop's
 * number from the slot's place in it, in two steps. */
void
glupy_instance_let_in(struct glupy_instance *self, bool in)
{
    const struct xlator_fops *from = in ? &glupy_dispatchers : self->default_fops;

    for (unsigned i = 0; self->fops && i < GLUPY_FOP_COUNT; i++)
        if (self->methods[i])
            __atomic_store_n(glupy_sight_slot(self, &glupy_fops[i]), *slot_of((struct xlator_fops *)from, &glupy_fops[i]),
                             __ATOMIC_RELEASE);
}

/* By the fop's name; any_fop stands under its own as well, so that it can be told from a method of the fop's own. */
static int
take_methods(struct glupy_instance *self, PyObject *methods)
{
    PyObject *any_fop = PyDict_GetItemString(methods, "any_fop");

    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++) {
        PyObject *method = PyDict_GetItemString(methods, glupy_fops[i].name);

        self->methods[i] = Py_XNewRef(method);
        self->takes_call[i] = method && method == any_fop;
        self->offloaded[i] = method && PyObject_HasAttrString(method, "__glupy_offload__");
    }
    return 0;
}

/* GlusterFS's thread waits for notify() only where there is one. */
static int
take_hooks(struct glupy_instance *self)
{
    PyObject *hears = PyObject_CallMethod(self->state->runtime, "hears", "O", self->translator);

    self->hears = hears == Py_True;
    Py_XDECREF(hears);
    return hears ? 0 : -1;
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
    PyObject *loaded = NULL, *methods;
    int failed;

    if (runtime(self->state))
        loaded = PyObject_CallMethod(self->state->runtime, "load", "O", self);
    if (!loaded)
        return -1;
    if (!PyArg_ParseTuple(loaded, "OO!", &self->translator, &PyDict_Type, &methods)) {
        self->translator = NULL;
        Py_DECREF(loaded);
        return -1;
    }
    Py_INCREF(self->translator);
    failed = take_methods(self, methods) != 0 || take_hooks(self) != 0 || glupy_hooks_load(self) != 0 ||
             glupy_classic_adopt(self) != 0;
    Py_DECREF(loaded);
    return failed ? -1 : 0;
}

struct init_call {
    xlator_t *this;
    struct glupy_state *state;
    struct glupy_instance *primary; /* NULL: it is what is being made */
    struct glupy_instance *instance;
};

/* What a replica is made from. */
static int
inherit(struct glupy_instance *self, struct glupy_instance *primary)
{
    self->replicated = true;
    self->primary = primary;
    self->origin = malloc(primary->origin_size ? primary->origin_size : 1);
    if (!self->origin) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(self->origin, primary->origin, primary->origin_size);
    self->origin_size = primary->origin_size;
    return 0;
}

static int
make(struct glupy_instance *self, struct glupy_instance *primary)
{
    if (primary)
        return inherit(self, primary) == 0 && load(self) == 0 ? 0 : -1;
    return load(self) == 0 && make_fops(self) == 0 ? 0 : -1;
}

static void
init_attached(void *arg)
{
    struct init_call *call = arg;
    struct glupy_instance *self = glupy_instance_create(call->state, call->this);

    if (self && make(self, call->primary) == 0) {
        call->instance = self;
        return;
    }
    if (self) {
        call->this->loglevel = GF_LOG_NONE; /* as the process: its own log-level must not hide why it goes */
        glupy_log_exception_doing(self, "init");
        glupy_background_cancel(self); /* what init() has spawned */
        glupy_instance_forget(self);
        Py_DECREF(self);
    }
    PyErr_Clear();
}

static void end_attached(void *arg);
static void cancel_attached(void *arg);

static void
drop_attached(void *arg)
{
    glupy_instance_forget(arg);
    Py_DECREF(arg);
}

/* A replica did not come up: those that did end as if their graph had. The primary goes last, it knows the others. */
static void
undo(struct glupy_instance *primary)
{
    char space[GLUPY_SPACE_ROOM];

    glupy_space_of(primary->this, space);
    for (unsigned i = primary->nreplicas; i-- > 0;) {
        struct glupy_instance *replica = primary->replicas[i];
        unsigned interpreter = replica->state->interpreter;

        glupy_main_call(interpreter, cancel_attached, replica);
        glupy_background_wait(replica, PATIENCE);
        glupy_main_call(interpreter, end_attached, replica);
        glupy_main_call(interpreter, drop_attached, replica);
    }
    glupy_shared_drop(space);
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
    primary->replicated = primary->wanted > 1;
    while (primary->nreplicas < primary->wanted) {
        struct init_call call = {.this = primary->this, .state = glupy_interpreter_state(primary->nreplicas),
                                 .primary = primary};

        glupy_main_call(primary->nreplicas, init_attached, &call);
        if (!call.instance)
            return false;
        primary->replicas[primary->nreplicas++] = call.instance;
        if (!check_replica(call.instance, primary))
            return false;
    }
    return true;
}

int32_t
glupy_init(xlator_t *this)
{
    struct init_call call = {.this = this, .state = glupy_interpreter_state(0)};
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
    glupy_main_call(0, init_attached, &call);
    if (!call.instance)
        return -1;
    if (!replicate(call.instance)) {
        undo(call.instance);
        return -1;
    }
    this->private = call.instance;
    this->fops = call.instance->fops;
    this->cbks = &glupy_cbks;
    return 0;
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
        (void)glupy_main_call_within(PATIENCE, replica->state->interpreter, collect_attached, NULL, drop_nothing);
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
    say_if_not(self->this, calm, "a background task still has a fop out");
    say_if_not(self->this, glupy_hooks_settle(self, PATIENCE), "a hook for an inode or fd that ended still runs");
    end_what_waits(self);
    say_if_not(self->this, glupy_drops_settle(PATIENCE), "references that Python gave up are still being released");
}

/* The author's fini(), once: at PARENT_DOWN when the last request has left, else when GlusterFS takes the graph down. */
static void
end_attached(void *arg)
{
    struct glupy_instance *self = arg;
    PyObject *result;

    if (self->ended)
        return;
    self->ended = true;
    glupy_hooks_silence(self);
    glupy_instance_let_in(self, false);
    result = PyObject_CallMethod(self->state->runtime, "fini", "O", self->translator);
    if (!result)
        glupy_log_exception_doing(self, "fini");
    Py_XDECREF(result);
}

/* As posted when the last request left; others may have come since. */
static void
end_if_idle_attached(void *arg)
{
    struct glupy_instance *self = arg;

    if (self->this && !self->requests)
        end_attached(self);
    Py_DECREF(self);
}

void
glupy_instance_idle(struct glupy_instance *self)
{
    xlator_t *old_this = THIS;

    if (!self->down || self->ended || self->requests)
        return;
    Py_INCREF(self);
    THIS = self->this;
    glupy_main_post(self->state->interpreter, end_if_idle_attached, self);
    THIS = old_this;
}

/* A table that is still there when fini() is called is destroyed after it (brick multiplexing); glfs_fini() destroys
 * it before. */
static bool
table_alive(xlator_t *this, inode_table_t *table)
{
    for (xlator_t *any = this->graph ? this->graph->first : NULL; any; any = any->next)
        if (any->itable == table)
            return true;
    return false;
}

static void
let_go_of_table(struct glupy_instance *self)
{
    if (self->table)
        glupy_holders_let_go(self->state, self->table, table_alive(self->this, self->table));
}

static void
forget_attached(void *arg)
{
    struct glupy_instance *self = arg;

    glupy_sight_bar();
    let_go_of_table(self);
    glupy_contexts_end(self);
    glupy_sight_unbar();
    glupy_instance_forget(self);
    Py_DECREF(self);
}

/* A hook that does not return still has the queue in hand: contexts stay, and the instance's own memory. */
static void
abandon_attached(void *arg)
{
    glupy_sight_bar();
    let_go_of_table(arg);
    glupy_sight_unbar();
    glupy_instance_forget(arg);
}

void
glupy_fini(xlator_t *this)
{
    struct glupy_instance *self = this->private, *replica;
    char space[GLUPY_SPACE_ROOM];
    bool calm;

    if (!self || glupy_python_gone())
        return;
    glupy_space_of(this, space);
    glupy_for_each_replica(replica, self)
        glupy_main_call(replica->state->interpreter, cancel_attached, replica);
    glupy_wait_for_rest(self);
    this->fops = self->default_fops;
    calm = glupy_hooks_end(self, PATIENCE); /* before fini(): what has ended is what fini() finds ended */
    say_if_not(this, calm, "a hook for an inode or fd that ended still runs");
    glupy_for_each_replica(replica, self)
        glupy_main_call(replica->state->interpreter, end_attached, replica);
    glupy_contexts_unchain(self);
    for (unsigned i = self->nreplicas; i-- > 0;) { /* the primary last: it knows the others */
        replica = self->replicas[i];
        glupy_main_call(replica->state->interpreter, calm ? forget_attached : abandon_attached, replica);
    }
    glupy_shared_drop(space);
}
