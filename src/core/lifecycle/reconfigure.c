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
#include "lifecycle/reconfigure.h"

#include "base/compat.h"
#include "instance/replicas.h"
#include "lifecycle/stuck.h"
#include "lifecycle/table.h"
#include "observe/log.h"
#include "observe/watch.h"
#include "python/main_thread.h"
#include "request/failure.h"

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

    if (!self->this || self->life.ended)
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
    if (glupy_main_call_within(PATIENCE, self->state->interpreter, "reconfigured()", change_attached, change, drop_change))
        drop_change(change);
    else
        glupy_stuck_say(this, "so new options are put in force when it is free");
}

static void
nothing(void *unused)
{
    (void)unused;
}

/* The votes in which a change is made in all replicas or none (glupy/lifecycle/changes.py), two for loading the file anew and two
 * for options: each is cast on the main thread before what
 * follows here, or belongs to a reconfigured() that goes on for longer. */
#define ROUNDS 4

int32_t
glupy_reconfigure(xlator_t *this, dict_t *options)
{
    struct glupy_instance *self = glupy_instance_of(this), *replica;

    if (!self || glupy_python_gone())
        return 0;
    glupy_for_each_replica(replica, self)
        reconfigure(replica, options);
    for (unsigned i = 0; self->replicas.several && i < ROUNDS; i++)
        glupy_main_call_within(PATIENCE, 0, "reconfigured()", nothing, NULL, free);
    return 0;
}

/* Votes */

/* Of those that agree: do they agree to the same? False without memory, too. */
static bool
is_same_ballot(struct glupy_votes *votes, const char *ballot)
{
    if (!votes->ballot)
        votes->ballot = strdup(ballot);
    return votes->ballot && strcmp(votes->ballot, ballot) == 0;
}

/* True when it was the last one. */
static bool
count_vote(struct glupy_instance *primary, char *objection, const char *ballot)
{
    struct glupy_votes *votes = &primary->settings.votes;
    bool last;

    pthread_mutex_lock(&primary->lock);
    if (!objection && ballot && !is_same_ballot(votes, ballot))
        objection = strdup("not all interpreters that serve this translator say the same: what a class defines must not depend "
                           "on where it is loaded");
    if (votes->objection)
        free(objection);
    else
        votes->objection = objection;
    last = ++votes->count == primary->replicas.count;
    if (last) {
        free(votes->outcome);
        free(votes->ballot);
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

    if (!self->this || self->life.ended)
        return;
    result = PyObject_CallMethod(self->state->runtime, "decided", "Oz", self->translator,
                                 self->replicas.primary->settings.votes.outcome);
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
        glupy_main_post(replica->state->interpreter, "reconfigured()", tell_attached, replica);
    THIS = old_this;
}

/* An instance that is going has been told so on the main thread, before any is freed there: what is posted earlier finds
 * all of them. */
PyObject *
glupy_instance_vote(PyObject *object, PyObject *args)
{
    struct glupy_instance *self = (struct glupy_instance *)object;
    const char *objection, *ballot = NULL;
    char *copy;

    if (!PyArg_ParseTuple(args, "z|z:vote", &objection, &ballot))
        return NULL;
    if (!self->this || self->tasks.going)
        Py_RETURN_NONE;
    copy = objection ? strdup(objection) : NULL;
    if (objection && !copy)
        return PyErr_NoMemory();
    if (count_vote(self->replicas.primary, copy, ballot))
        tell_all(self->replicas.primary);
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
    old = self->settings.text;
    self->settings.text = copy;
    pthread_mutex_unlock(&self->lock);
    free(old);
    return true;
}

char *
glupy_instance_options_text(struct glupy_instance *self)
{
    char *copy;

    pthread_mutex_lock(&self->lock);
    copy = strdup(self->settings.text ? self->settings.text : "");
    pthread_mutex_unlock(&self->lock);
    return copy;
}

static uint64_t
nanoseconds(double seconds)
{
    return seconds > 1e9 ? 0 : (uint64_t)(seconds * 1e9);
}

PyObject *
glupy_instance_configure(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"enabled", "pass_on_error", "budget", "patience", "level", "text", NULL};
    struct glupy_instance *self = (struct glupy_instance *)object;
    int enabled, pass_on_error, level;
    double budget, patience;
    const char *text;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "$ppddis:configure", names, &enabled, &pass_on_error, &budget, &patience,
                                     &level, &text))
        return NULL;
    if (!self->this || !set_options_text(self, text))
        return self->this ? NULL : Py_NewRef(Py_None);
    self->settings.disabled = !enabled;
    self->settings.pass_on_error = pass_on_error;
    /* GlusterFS has set what the volfile says, valid or not, and does not take back what it says no more. */
    __atomic_store_n(&self->this->loglevel, level, __ATOMIC_RELAXED);
    glupy_watch_budget(&self->watch, nanoseconds(budget));
    glupy_patience_is(&self->patience, nanoseconds(patience));
    glupy_table_let_in(self, enabled && !self->life.ended);
    Py_RETURN_NONE;
}

/* What report() and task_failed() are given: raises it, and gives the words for what failed; NULL with another. */
static const char *
failed(PyObject *args)
{
    const char *doing;
    PyObject *error;

    if (!PyArg_ParseTuple(args, "sO", &doing, &error))
        return NULL;
    if (!PyExceptionInstance_Check(error)) {
        PyErr_Format(PyExc_TypeError, "expected an exception, not %R", error);
        return NULL;
    }
    PyErr_SetRaisedException(Py_NewRef(error));
    return doing;
}

PyObject *
glupy_instance_report(PyObject *self, PyObject *args)
{
    const char *doing = failed(args);

    if (!doing)
        return NULL;
    glupy_log_exception_doing((struct glupy_instance *)self, doing);
    Py_RETURN_NONE;
}

PyObject *
glupy_instance_task_failed(PyObject *self, PyObject *args)
{
    const char *doing = failed(args);

    if (!doing)
        return NULL;
    glupy_failure_in_background((struct glupy_instance *)self, doing, NULL);
    Py_RETURN_NONE;
}

PyObject *
glupy_instance_records(PyObject *self, PyObject *args)
{
    unsigned long long written, dropped;

    if (!PyArg_ParseTuple(args, "KK", &written, &dropped))
        return NULL;
    glupy_stats_records(&((struct glupy_instance *)self)->stats, written, dropped);
    Py_RETURN_NONE;
}
