/* An instance's beginning and end: loading the author's class, giving the xlator_t its own table of fops. */
#include "lifecycle.h"

#include "background.h"
#include "compat.h"
#include "log.h"
#include "holders.h"
#include "main_thread.h"
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
    struct xlator_fops *fops = malloc(sizeof(*fops));

    if (!fops) {
        PyErr_NoMemory();
        return -1;
    }
    *fops = *self->this->fops;
    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++) {
        struct xlator_fops *ours = (struct xlator_fops *)&glupy_dispatchers;

        if (self->methods[i])
            *slot_of(fops, &glupy_fops[i]) = *slot_of(ours, &glupy_fops[i]);
    }
    self->fops = fops;
    self->default_fops = self->this->fops;
    return 0;
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

/* translator.common.on_error, an option that every translator has. */
static int
take_common(struct glupy_instance *self)
{
    PyObject *common = PyObject_GetAttrString(self->translator, "common");
    PyObject *on_error = common ? PyObject_GetAttrString(common, "on_error") : NULL;
    bool failed = !on_error;

    if (on_error && PyUnicode_Check(on_error))
        self->pass_on_error = PyUnicode_CompareWithASCIIString(on_error, "pass") == 0;
    Py_XDECREF(on_error);
    Py_XDECREF(common);
    return failed ? -1 : 0;
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
    failed = take_methods(self, methods) != 0 || take_common(self) != 0 || make_fops(self) != 0;
    Py_DECREF(loaded);
    return failed ? -1 : 0;
}

struct init_call {
    xlator_t *this;
    struct glupy_state *state;
    struct glupy_instance *instance;
};

static void
init_attached(void *arg)
{
    struct init_call *call = arg;
    struct glupy_instance *self = glupy_instance_create(call->state, call->this);

    if (self && load(self) == 0) {
        call->instance = self;
        return;
    }
    if (self) {
        call->this->loglevel = GF_LOG_NONE; /* as the process: its own log-level must not hide why it goes */
        glupy_log_exception_doing(self, "init");
        glupy_instance_forget(self);
        Py_DECREF(self);
    }
    PyErr_Clear();
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
    glupy_main_call(0, init_attached, &call);
    if (!call.instance)
        return -1;
    this->private = call.instance;
    this->fops = call.instance->fops;
    return 0;
}

static void
cancel_attached(void *arg)
{
    glupy_background_cancel(arg);
}

static void
wait_for_background(xlator_t *this, struct glupy_instance *self)
{
    if (!glupy_background_wait(self, PATIENCE))
        gf_msg(this->name, GF_LOG_ERROR, 0, 0, "a background task still has a fop out after %u seconds", PATIENCE);
}

/* PARENT_DOWN: the graph is about to go, and fini() may never be called (a mount's graph switch) or come after the
 * children's (there is no order). So background tasks end now; for what they have wound is waited only after the children
 * have heard, since it may be the event that makes them answer. */
int32_t
glupy_notify(xlator_t *this, int32_t event, void *data)
{
    bool ends = event == GF_EVENT_PARENT_DOWN && this->private && !glupy_python_gone();
    int32_t result;

    if (ends)
        glupy_main_call(glupy_instance_of(this)->state->interpreter, cancel_attached, this->private);
    result = default_notify(this, event, data);
    if (ends)
        wait_for_background(this, this->private);
    return result;
}

static void
fini_attached(void *arg)
{
    struct glupy_instance *self = arg;
    PyObject *result = PyObject_CallMethod(self->state->runtime, "fini", "O", self->translator);

    if (!result)
        glupy_log_exception_doing(self, "fini");
    Py_XDECREF(result);
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
forget_attached(void *arg)
{
    struct glupy_instance *self = arg;

    if (self->table)
        glupy_holders_let_go(self->state, self->table, table_alive(self->this, self->table));
    glupy_instance_forget(self);
    Py_DECREF(self);
}

void
glupy_fini(xlator_t *this)
{
    struct glupy_instance *self = this->private;

    if (!self || glupy_python_gone())
        return;
    this->private = NULL;
    this->fops = self->default_fops;
    glupy_main_call(self->state->interpreter, fini_attached, self);
    glupy_main_call(self->state->interpreter, cancel_attached, self);
    wait_for_background(this, self);
    glupy_main_call(self->state->interpreter, forget_attached, self);
}
