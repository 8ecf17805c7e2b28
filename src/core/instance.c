/* Instance in Python: one translator in one graph. */
#include "instance.h"

#include <pthread.h>

#include "background.h"
#include "classic.h"
#include "compat.h"
#include "events.h"
#include "log.h"
#include "reconfigure.h"
#include "replicas.h"
#include "request.h"
#include "shared.h"
#include "spawned.h"
#include "types/inode.h"
#include "watch.h"

PyObject *
glupy_children_of(struct glupy_instance *instance, xlator_t *xlator)
{
    Py_ssize_t n = 0, i = 0;
    PyObject *children;

    for (xlator_list_t *child = xlator->children; child; child = child->next)
        n++;
    children = PyTuple_New(n);
    for (xlator_list_t *child = xlator->children; children && child; child = child->next) {
        PyObject *object = glupy_child_new(instance, child->xlator);

        if (object)
            PyTuple_SET_ITEM(children, i++, object);
        else
            Py_CLEAR(children);
    }
    return children;
}

struct glupy_instance *
glupy_instance_create(struct glupy_state *state, xlator_t *this)
{
    struct glupy_instance *self = (struct glupy_instance *)state->instance_type->tp_alloc(state->instance_type, 0);

    if (!self)
        return NULL;
    self->this = this;
    self->state = state;
    INIT_LIST_HEAD(&self->background);
    INIT_LIST_HEAD(&self->contexts);
    self->hooks.last = &self->hooks.first;
    pthread_cond_init(&self->hooks.calm, NULL);
    glupy_resting_init(&self->resting);
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->calm, NULL);
    self->last_held = &self->held;
    self->primary = self->itself = self;
    self->replicas = &self->itself;
    self->nreplicas = self->wanted = 1;
    glupy_watch_instance(self);
    self->children = glupy_children_of(self, this);
    if (!self->children)
        Py_CLEAR(self);
    return self;
}

static int
instance_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct glupy_instance *self = (struct glupy_instance *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->translator);
    Py_VISIT(self->children);
    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++)
        Py_VISIT(self->methods[i]);
    for (unsigned i = 0; i < GLUPY_HOOK_COUNT; i++)
        Py_VISIT(self->hooks.methods[i]);
    Py_VISIT(self->inode_factory);
    Py_VISIT(self->fd_factory);
    return 0;
}

static int
instance_clear(PyObject *object)
{
    struct glupy_instance *self = (struct glupy_instance *)object;

    Py_CLEAR(self->translator);
    Py_CLEAR(self->children);
    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++)
        Py_CLEAR(self->methods[i]);
    for (unsigned i = 0; i < GLUPY_HOOK_COUNT; i++)
        Py_CLEAR(self->hooks.methods[i]);
    Py_CLEAR(self->inode_factory);
    Py_CLEAR(self->fd_factory);
    return 0;
}

void
glupy_instance_forget(struct glupy_instance *self)
{
    glupy_watch_forget_instance(self);
    self->this = NULL;
    glupy_classic_let_go(self);
    instance_clear((PyObject *)self);
    free(self->fops);
    self->fops = NULL;
}

static void
instance_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    glupy_instance_forget((struct glupy_instance *)object);
    glupy_stats_clear(&((struct glupy_instance *)object)->stats);
    free(((struct glupy_instance *)object)->options_text);
    free(((struct glupy_instance *)object)->origin);
    free(((struct glupy_instance *)object)->votes.objection);
    free(((struct glupy_instance *)object)->votes.outcome);
    if (((struct glupy_instance *)object)->replicas != &((struct glupy_instance *)object)->itself)
        free(((struct glupy_instance *)object)->replicas);
    type->tp_free(object);
    Py_DECREF(type);
}

static xlator_t *
xlator_of(PyObject *object)
{
    struct glupy_instance *self = (struct glupy_instance *)object;

    if (!self->this)
        PyErr_SetString(PyExc_ReferenceError, "the graph of this translator is gone");
    return self->this;
}

static PyObject *
get_name(PyObject *self, void *unused)
{
    xlator_t *this = xlator_of(self);

    (void)unused;
    return this ? glupy_text(this->name) : NULL;
}

static PyObject *
get_type(PyObject *self, void *unused)
{
    xlator_t *this = xlator_of(self);

    (void)unused;
    return this ? glupy_text(this->type) : NULL;
}

static PyObject *
get_children(PyObject *self, void *unused)
{
    (void)unused;
    return xlator_of(self) ? Py_NewRef(((struct glupy_instance *)self)->children) : NULL;
}

static int
add_option(dict_t *options, char *key, data_t *value, void *arg)
{
    PyObject *text = glupy_text(value->data ? value->data : ""), *name = glupy_text(key);
    int failed = !text || !name || PyDict_SetItem(arg, name, text) != 0;

    (void)options;
    Py_XDECREF(text);
    Py_XDECREF(name);
    return failed ? -1 : 0;
}

PyObject *
glupy_options_of(dict_t *given)
{
    PyObject *options = PyDict_New();

    if (options && given && dict_foreach(given, add_option, options) < 0)
        Py_CLEAR(options);
    return options;
}

static PyObject *
get_interpreter(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLong(((struct glupy_instance *)self)->state->interpreter);
}

static PyObject *
get_origin(PyObject *object, void *unused)
{
    struct glupy_instance *self = (struct glupy_instance *)object;

    (void)unused;
    if (!self->origin)
        Py_RETURN_NONE;
    return PyBytes_FromStringAndSize(self->origin, (Py_ssize_t)self->origin_size);
}

/* An xlator_t's place in memory tells two graphs apart in which it has the same name. */
static PyObject *
get_space(PyObject *self, void *unused)
{
    xlator_t *this = xlator_of(self);
    char space[GLUPY_SPACE_ROOM];

    (void)unused;
    if (!this)
        return NULL;
    glupy_space_of(this, space);
    return PyUnicode_FromString(space);
}

static PyObject *
instance_replicate(PyObject *object, PyObject *args)
{
    struct glupy_instance *self = (struct glupy_instance *)object;
    const char *origin;
    Py_ssize_t size;
    unsigned count;

    if (!PyArg_ParseTuple(args, "Iy#:replicate", &count, &origin, &size))
        return NULL;
    if (count < 1 || count > GLUPY_MAX_INTERPRETERS || self->state->interpreter != 0 || self->origin)
        return PyErr_Format(PyExc_ValueError, "replicate() is for a translator that is being loaded, once");
    return glupy_replicas_want(self, count, origin, (size_t)size) == 0 ? Py_NewRef(Py_None) : NULL;
}

/* Those that the graph was built with: GlusterFS never changes them. */
static PyObject *
get_options(PyObject *self, void *unused)
{
    xlator_t *this = xlator_of(self);

    (void)unused;
    return this ? glupy_options_of(this->options) : NULL;
}

/* The table is the graph's; only its top has it. */
static PyObject *
get_itable(PyObject *self, void *unused)
{
    xlator_t *this = xlator_of(self);
    inode_table_t *table;

    (void)unused;
    if (!this)
        return NULL;
    table = this->itable;
    if (!table && this->graph && this->graph->top)
        table = ((xlator_t *)this->graph->top)->itable;
    ((struct glupy_instance *)self)->table = table;
    return glupy_inode_table_new(glupy_state_of(self), (struct glupy_instance *)self, table);
}

/* run(): a background task whose end the caller waits for */

struct wait {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool done;
    PyObject *outcome, *exception;
};

static void
task_done(struct glupy_request *request)
{
    struct wait *wait = request->done_arg;

    wait->outcome = request->outcome;
    wait->exception = request->exception;
    request->outcome = request->exception = NULL;
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

/* Something of ours to drive: a coroutine as it is, a wind or gather by its own iterator. */
static PyObject *
drivable(struct glupy_instance *self, PyObject *value)
{
    if (!xlator_of((PyObject *)self))
        return NULL;
    if (self->going) {
        PyErr_SetString(PyExc_RuntimeError, "the graph of this translator is going: no new tasks");
        return NULL;
    }
    if (PyCoro_CheckExact(value) || glupy_is_awaitable(value))
        return value;
    PyErr_Format(PyExc_TypeError, "expected a coroutine or a wind, not %R", value);
    return NULL;
}

PyDoc_STRVAR(run_doc, "run($self, coroutine, /)\n--\n\n"
                      "Run a coroutine that winds fops as a task of its own, on a frame of its own (root's identity), and wait for its\n"
                      "end: its value, or its exception raised. For threads of the author's own and for tests; inside a fop await\n"
                      "instead. RuntimeError when called from a fop.");

static PyObject *
instance_run(PyObject *object, PyObject *coroutine)
{
    struct glupy_instance *self = (struct glupy_instance *)object;
    struct wait wait = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};
    struct glupy_thread *thread = glupy_thread_if_any();
    struct glupy_request *request;

    if (thread && thread->stepping) {
        PyErr_SetString(PyExc_RuntimeError, "run() would block the thread that GlusterFS lent us: await instead");
        return NULL;
    }
    if (!drivable(self, coroutine))
        return NULL;
    request = glupy_background_new(self, coroutine, task_done, &wait);
    if (!request)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    glupy_request_submit(request);
    wait_for(&wait);
    Py_END_ALLOW_THREADS
    if (wait.exception)
        PyErr_SetRaisedException(wait.exception);
    return wait.outcome;
}

/* spawn(): nobody waits */

static PyObject *
instance_spawn(PyObject *object, PyObject *coroutine)
{
    struct glupy_instance *self = (struct glupy_instance *)object;

    return drivable(self, coroutine) ? glupy_task_spawn(self, coroutine) : NULL;
}

/* The log outlives the graph: what is said later is said for whoever the thread works for. */
static xlator_t *
speaker(PyObject *object)
{
    xlator_t *this = ((struct glupy_instance *)object)->this;

    return this ? this : THIS;
}

static PyObject *
instance_log(PyObject *object, PyObject *args)
{
    return glupy_log_as(speaker(object), args);
}

static PyObject *
instance_log_level(PyObject *object, PyObject *unused)
{
    (void)unused;
    return glupy_log_level_of(speaker(object));
}

static PyObject *
instance_repr(PyObject *object)
{
    xlator_t *this = ((struct glupy_instance *)object)->this;

    return PyUnicode_FromFormat("<Instance %s>", this ? this->name : "(gone)");
}

static PyMethodDef instance_methods[] = {
    {"run", instance_run, METH_O, run_doc},
    {"spawn", instance_spawn, METH_O,
     "spawn($self, coroutine, /)\n--\n\nStart a coroutine as a Task of its own and go on. What it raises is logged. It begins when\n"
     "the first child has come up. RuntimeError once the graph is going."},
    {"log", instance_log, METH_VARARGS,
     "log($self, level, name, file, line, function, message, /)\n--\n\n"
     "As glupy._core.log(), with the level and the graph of this translator, on any thread."},
    {"log_level", instance_log_level, METH_NOARGS,
     "log_level($self, /)\n--\n\n"
     "The gf_loglevel_t (logging.h) up to which this translator's entries are written now: its own log-level, else\n"
     "the process's."},
    {"configure", _PyCFunction_CAST(glupy_instance_configure), METH_VARARGS | METH_KEYWORDS,
     "configure($self, /, *, enabled, pass_on_error, budget, level, text)\n--\n\n"
     "Put the values of the common options in force, and text (a line NAME=VALUE each) where it can be read without\n"
     "Python."},
    {"report", _PyCFunction_CAST(glupy_instance_report), METH_VARARGS,
     "report($self, doing, error, /)\n--\n\nLog an exception with its traceback, as one of a fop."},
    {"replicate", instance_replicate, METH_VARARGS,
     "replicate($self, count, origin, /)\n--\n\n"
     "While the translator is being loaded: have it served by so many interpreters. The other ones load it by what they\n"
     "find in their Instance.origin, which is the bytes given. RuntimeError where there cannot be so many."},
    {"vote", glupy_instance_vote, METH_VARARGS,
     "vote($self, objection, /)\n--\n\n"
     "Go on with a change of options (None), or say why not. When all interpreters that serve the translator have said,\n"
     "each of them is told what the first objection was."},
    {"notify_up", glupy_instance_notify_up, METH_O,
     "notify_up($self, event, /)\n--\n\nSend an event to the layers above."},
    {"notify_down", glupy_instance_notify_down, METH_O,
     "notify_down($self, event, /)\n--\n\nSend an event to the layers below."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef instance_getset[] = {
    {"name", get_name, NULL, "Name of the volume in the volfile.", NULL},
    {"type", get_type, NULL, "Type in the volfile: 'user/NAME' or 'features/glupy'.", NULL},
    {"children", get_children, NULL, "tuple of Child, in the volfile's order.", NULL},
    {"options", get_options, NULL, "dict of str: the options of the volfile, as text.", NULL},
    {"interpreter", get_interpreter, NULL, "Which of option interpreters it is served by: 0 is Python's main one.", NULL},
    {"origin", get_origin, NULL, "bytes: what a further interpreter is to load it by; None in the first.", NULL},
    {"space", get_space, NULL, "str: a namespace of glupy.Shared that is this translator's alone.", NULL},
    {"itable", get_itable, NULL, "The graph's InodeTable, or None where it has none (yet).", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot instance_slots[] = {
    {Py_tp_doc, "One translator in one graph (xlator_t in xlator.h)."},
    {Py_tp_dealloc, instance_dealloc},
    {Py_tp_traverse, instance_traverse},
    {Py_tp_clear, instance_clear},
    {Py_tp_repr, instance_repr},
    {Py_tp_methods, instance_methods},
    {Py_tp_getset, instance_getset},
    {0, NULL},
};

static PyType_Spec instance_spec = {
    .name = "glupy._core.Instance",
    .basicsize = sizeof(struct glupy_instance),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_GC,
    .slots = instance_slots,
};

int
glupy_instance_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &instance_spec, &state->instance_type);
}
