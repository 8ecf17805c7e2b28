/* Options that change while the graph is up. See reconfigure.h.
 *
 * GlusterFS calls reconfigure() of every layer when a new volfile has the topology of the graph that is up, on an event
 * thread or the one that waits for signals, and holds locks meanwhile (ctx->volfile_lock, the lock of init). So the
 * work is done on Python's main thread, and the caller waits for it only for a time: with a translator stuck in Python the
 * change is made late, or never, and GlusterFS goes on.
 *
 * xlator_t.options are left as they are: GlusterFS shows in .meta what a graph was built with, keeps pointers into that
 * dict without a reference (meta's option-file.c), and changes it for no translator. The values in force are in
 * options_text. */
#include "reconfigure.h"

#include "compat.h"
#include "log.h"
#include "main_thread.h"
#include "replicas.h"
#include "watch.h"

#define PATIENCE 10u /* seconds */

struct change {
    struct glupy_instance *instance;
    dict_t *options;
};

static void
drop_change(void *arg)
{
    struct change *change = arg;

    dict_unref(change->options);
    free(change);
}

static void
change_attached(void *arg)
{
    struct change *change = arg;
    struct glupy_instance *self = change->instance;
    PyObject *options, *result = NULL;

    if (!self->this || self->ended)
        return;
    options = glupy_options_of(change->options);
    if (options)
        result = PyObject_CallMethod(self->state->runtime, "reconfigure", "OO", self->translator, options);
    if (!result)
        glupy_log_exception_doing(self, "reconfigure");
    Py_XDECREF(result);
    Py_XDECREF(options);
}

static void
reconfigure(struct glupy_instance *self, dict_t *options)
{
    xlator_t *this = self->this;
    struct change *change = malloc(sizeof(*change));

    if (!change) {
        gf_msg(this->name, GF_LOG_ERROR, ENOMEM, 0, "no memory to change options: the old ones stay");
        return;
    }
    *change = (struct change){self, dict_ref(options)};
    if (glupy_main_call_within(PATIENCE, self->state->interpreter, change_attached, change, drop_change))
        drop_change(change);
    else
        gf_msg(this->name, GF_LOG_ERROR, 0, 0,
               "Python's main thread has been busy for %u seconds: new options are put in force when it is free", PATIENCE);
}

static void
nothing(void *unused)
{
    (void)unused;
}

/* The votes in which a change is made in all replicas or none (live.py): each is cast on the main thread before what
 * follows here, or belongs to a reconfigured() that goes on for longer. */
#define ROUNDS 2

int32_t
glupy_reconfigure(xlator_t *this, dict_t *options)
{
    struct glupy_instance *self = glupy_instance_of(this), *replica;

    if (!self || glupy_python_gone())
        return 0;
    glupy_for_each_replica(replica, self)
        reconfigure(replica, options);
    for (unsigned i = 0; self->replicated && i < ROUNDS; i++)
        glupy_main_call_within(PATIENCE, 0, nothing, NULL, free);
    return 0;
}

/* Votes */

/* True when it was the last one. */
static bool
count_vote(struct glupy_instance *primary, char *objection)
{
    struct glupy_votes *votes = &primary->votes;
    bool last;

    pthread_mutex_lock(&primary->lock);
    if (votes->objection)
        free(objection);
    else
        votes->objection = objection;
    last = ++votes->count == primary->nreplicas;
    if (last) {
        free(votes->outcome);
        *votes = (struct glupy_votes){.outcome = votes->objection};
    }
    pthread_mutex_unlock(&primary->lock);
    return last;
}

/* Until all have voted again, which no one does before it has been told, nobody changes the outcome. */
static void
tell_attached(void *arg)
{
    struct glupy_instance *self = arg;
    PyObject *result;

    if (!self->this || self->ended)
        return;
    result = PyObject_CallMethod(self->state->runtime, "decided", "Oz", self->translator, self->primary->votes.outcome);
    if (!result)
        glupy_log_exception_doing(self, "reconfigure");
    Py_XDECREF(result);
}

static void
tell_all(struct glupy_instance *primary)
{
    struct glupy_instance *replica;
    xlator_t *old_this = THIS;

    THIS = primary->this;
    glupy_for_each_replica(replica, primary)
        glupy_main_post(replica->state->interpreter, tell_attached, replica);
    THIS = old_this;
}

/* An instance that is going has been told so on the main thread, before any is freed there: what is posted earlier finds
 * all of them. */
PyObject *
glupy_instance_vote(PyObject *object, PyObject *args)
{
    struct glupy_instance *self = (struct glupy_instance *)object;
    const char *objection;
    char *copy;

    if (!PyArg_ParseTuple(args, "z:vote", &objection))
        return NULL;
    if (!self->this || self->going)
        Py_RETURN_NONE;
    copy = objection ? strdup(objection) : NULL;
    if (objection && !copy)
        return PyErr_NoMemory();
    if (count_vote(self->primary, copy))
        tell_all(self->primary);
    Py_RETURN_NONE;
}

static bool
set_options_text(struct glupy_instance *self, const char *text)
{
    char *copy = strdup(text), *old;

    if (!copy) {
        PyErr_NoMemory();
        return false;
    }
    pthread_mutex_lock(&self->lock);
    old = self->options_text;
    self->options_text = copy;
    pthread_mutex_unlock(&self->lock);
    free(old);
    return true;
}

char *
glupy_instance_options_text(struct glupy_instance *self)
{
    char *copy;

    pthread_mutex_lock(&self->lock);
    copy = strdup(self->options_text ? self->options_text : "");
    pthread_mutex_unlock(&self->lock);
    return copy;
}

PyObject *
glupy_instance_configure(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"enabled", "pass_on_error", "budget", "level", "text", NULL};
    struct glupy_instance *self = (struct glupy_instance *)object;
    int enabled, pass_on_error, level;
    double budget;
    const char *text;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "$ppdis:configure", names, &enabled, &pass_on_error, &budget, &level,
                                     &text))
        return NULL;
    if (!self->this || !set_options_text(self, text))
        return self->this ? NULL : Py_NewRef(Py_None);
    self->disabled = !enabled;
    self->pass_on_error = pass_on_error;
    /* GlusterFS has set what the volfile says, valid or not, and does not take back what it says no more. */
    self->this->loglevel = level;
    glupy_watch_budget(self, budget > 1e9 ? 0 : (uint64_t)(budget * 1e9));
    glupy_instance_let_in(self, enabled && !self->ended);
    Py_RETURN_NONE;
}

PyObject *
glupy_instance_report(PyObject *self, PyObject *args)
{
    const char *doing;
    PyObject *error;

    if (!PyArg_ParseTuple(args, "sO:report", &doing, &error))
        return NULL;
    if (!PyExceptionInstance_Check(error))
        return PyErr_Format(PyExc_TypeError, "report() takes an exception, not %R", error);
    PyErr_SetRaisedException(Py_NewRef(error));
    glupy_log_exception_doing((struct glupy_instance *)self, doing);
    Py_RETURN_NONE;
}
