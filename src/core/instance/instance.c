/* One translator in one graph, as data: its beginning and end. See instance.h. */
#include "instance/instance.h"

#include "base/compat.h"
#include "observe/log.h"
#include "python/forked.h"
#include "python/main_thread.h"
#include "values/types/types.h"

struct glupy_instance *
glupy_instance_create(struct glupy_state *state, xlator_t *this)
{
    struct glupy_instance *self = (struct glupy_instance *)state->instance_type->tp_alloc(state->instance_type, 0);

    if (!self)
        return NULL;
    self->this = this;
    self->state = state;
    self->life.graph = this->graph;
    INIT_LIST_HEAD(&self->life.link);
    INIT_LIST_HEAD(&self->versions.replaced);
    INIT_LIST_HEAD(&self->tasks.list);
    INIT_LIST_HEAD(&self->contexts.list);
    self->hooks.last = &self->hooks.first;
    pthread_cond_init(&self->hooks.calm, NULL);
    pthread_mutex_init(&self->resting.lock, NULL);
    INIT_LIST_HEAD(&self->resting.list);
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->calm, NULL);
    INIT_LIST_HEAD(&self->tasks.held);
    self->replicas.primary = self->replicas.itself = self;
    self->replicas.list = &self->replicas.itself;
    self->replicas.count = self->replicas.wanted = 1;
    self->flavour = state->flavours[0];
    self->watch.this = this;
    self->watch.interpreter = state->interpreter;
    glupy_watch_begins(&self->watch);
    self->patience.this = this;
    glupy_patience_begins(&self->patience);
    return self;
}

int
glupy_instance_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct glupy_instance *self = (struct glupy_instance *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->translator);
    Py_VISIT(self->versions.current);
    Py_VISIT(self->versions.making);
    Py_VISIT(self->children);
    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++)
        Py_VISIT(self->handlers.methods[i]);
    for (unsigned i = 0; i < GLUPY_HOOK_COUNT; i++)
        Py_VISIT(self->hooks.methods[i]);
    Py_VISIT(self->contexts.inode_factory);
    Py_VISIT(self->contexts.fd_factory);
    return 0;
}

/* The author's objects. The versions themselves stay as long as the instance: requests that come back later count there. */
static void
let_go_of_versions(struct glupy_instance *self)
{
    struct glupy_version *version;

    if (self->versions.current)
        Py_CLEAR(self->versions.current->translator);
    if (self->versions.making)
        Py_CLEAR(self->versions.making->translator);
    list_for_each_entry(version, &self->versions.replaced, link)
    {
        Py_CLEAR(version->translator);
    }
}

int
glupy_instance_clear(PyObject *object)
{
    struct glupy_instance *self = (struct glupy_instance *)object;

    Py_CLEAR(self->translator);
    let_go_of_versions(self);
    Py_CLEAR(self->children);
    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++)
        Py_CLEAR(self->handlers.methods[i]);
    for (unsigned i = 0; i < GLUPY_HOOK_COUNT; i++)
        Py_CLEAR(self->hooks.methods[i]);
    Py_CLEAR(self->contexts.inode_factory);
    Py_CLEAR(self->contexts.fd_factory);
    return 0;
}

void
glupy_instance_forget(struct glupy_instance *self)
{
    xlator_t *this = self->this;

    glupy_watch_forget(&self->watch);
    glupy_patience_forget(&self->patience);
    self->this = NULL;
    if (this) {
        glupy_threads_forsake(this);
        glupy_main_forsake(this);
    }
    if (self->flavour->let_go)
        self->flavour->let_go(self);
    glupy_instance_clear((PyObject *)self);
    free(self->slots.own);
    self->slots.own = NULL;
}

void
glupy_failure_clear(struct glupy_failure *failure)
{
    free(failure->task);
    free(failure->exception);
    free(failure->at);
    *failure = (struct glupy_failure){0};
}

static void
drop_version(struct glupy_version *version)
{
    if (version)
        version->instance = NULL; /* the translator, which may be kept, has it too */
    Py_XDECREF(version);
}

static void
drop_versions(struct glupy_instance *self)
{
    struct glupy_version *version, *next;

    list_for_each_entry_safe(version, next, &self->versions.replaced, link)
    {
        list_del_init(&version->link);
        drop_version(version);
    }
    drop_version(self->versions.making);
    drop_version(self->versions.current);
}

void
glupy_instance_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    glupy_instance_forget((struct glupy_instance *)object);
    drop_versions((struct glupy_instance *)object);
    glupy_stats_clear(&((struct glupy_instance *)object)->stats);
    glupy_failure_clear(&((struct glupy_instance *)object)->tasks.latest);
    free(((struct glupy_instance *)object)->settings.text);
    free(((struct glupy_instance *)object)->replicas.origin);
    free(((struct glupy_instance *)object)->settings.votes.objection);
    free(((struct glupy_instance *)object)->settings.votes.outcome);
    free(((struct glupy_instance *)object)->settings.votes.ballot);
    if (((struct glupy_instance *)object)->replicas.list != &((struct glupy_instance *)object)->replicas.itself)
        free(((struct glupy_instance *)object)->replicas.list);
    type->tp_free(object);
    Py_DECREF(type);
}

xlator_t *
glupy_instance_alive(struct glupy_instance *self)
{
    if (glupy_in_child) {
        glupy_child_refuse();
        return NULL;
    }
    if (!self->this)
        PyErr_SetString(PyExc_ReferenceError, "the graph of this translator is gone");
    return self->this;
}

const char *
glupy_instance_name(const struct glupy_instance *self)
{
    return self->this ? self->this->name : "glupy";
}

void
glupy_log_exception_doing(struct glupy_instance *self, const char *doing)
{
    glupy_log_raised(self->state, glupy_instance_name(self), doing, NULL);
}

/* Translators in C put things of their own among their options: pointers, numbers as bytes. */
static bool
is_text(const data_t *value)
{
    return value->data_type == GF_DATA_TYPE_STR || value->data_type == GF_DATA_TYPE_STR_OLD;
}

static int
add_option(dict_t *options, char *key, data_t *value, void *arg)
{
    PyObject *text, *name;
    int failed;

    (void)options;
    if (!is_text(value))
        return 0;
    text = glupy_text(value->data ? value->data : "");
    name = glupy_text(key);
    failed = !text || !name || PyDict_SetItem(arg, name, text) != 0;
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
