/* Instance in Python: one translator in one graph, with all that can be done with it. */
#include "lifecycle/instance_type.h"

#include "base/compat.h"
#include "instance/replicas.h"
#include "instance/shared.h"
#include "lifecycle/events.h"
#include "lifecycle/reconfigure.h"
#include "lifecycle/reload.h"
#include "observe/log.h"
#include "request/run.h"
#include "request/spawned.h"
#include "values/types/inode.h"

static xlator_t *
alive(PyObject *self)
{
    return glupy_instance_alive((struct glupy_instance *)self);
}

static PyObject *
get_name(PyObject *self, void *unused)
{
    xlator_t *this = alive(self);

    (void)unused;
    return this ? glupy_text(this->name) : NULL;
}

static PyObject *
get_type(PyObject *self, void *unused)
{
    xlator_t *this = alive(self);

    (void)unused;
    return this ? glupy_text(this->type) : NULL;
}

static PyObject *
get_children(PyObject *self, void *unused)
{
    (void)unused;
    return alive(self) ? Py_NewRef(((struct glupy_instance *)self)->children) : NULL;
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
    if (!self->replicas.origin)
        Py_RETURN_NONE;
    return PyBytes_FromStringAndSize(self->replicas.origin, (Py_ssize_t)self->replicas.origin_size);
}

/* An xlator_t's place in memory tells two graphs apart in which it has the same name. */
static PyObject *
get_space(PyObject *self, void *unused)
{
    xlator_t *this = alive(self);
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
    if (count < 1 || count > GLUPY_MAX_INTERPRETERS || self->state->interpreter != 0 || self->replicas.origin)
        return PyErr_Format(PyExc_ValueError, "replicate() is for a translator that is being loaded, once");
    return glupy_replicas_want(self, count, origin, (size_t)size) == 0 ? Py_NewRef(Py_None) : NULL;
}

/* Those that the graph was built with: GlusterFS never changes them. */
static PyObject *
get_options(PyObject *self, void *unused)
{
    xlator_t *this = alive(self);

    (void)unused;
    return this ? glupy_options_of(this->options) : NULL;
}

/* (name, type, options) of one layer, or NULL with an exception. */
static PyObject *
described(xlator_t *xlator)
{
    PyObject *name = glupy_text(xlator->name), *type = glupy_text(xlator->type);
    PyObject *options = name && type ? glupy_options_of(xlator->options) : NULL;
    PyObject *layer = options ? PyTuple_Pack(3, name, type, options) : NULL;

    Py_XDECREF(name);
    Py_XDECREF(type);
    Py_XDECREF(options);
    return layer;
}

static int
add_above(PyObject *list, xlator_t *xlator)
{
    for (xlator_list_t *parent = xlator->parents; parent; parent = parent->next) {
        PyObject *layer = described(parent->xlator);
        int failed = !layer || PyList_Append(list, layer) != 0;

        Py_XDECREF(layer);
        if (failed || add_above(list, parent->xlator) != 0)
            return -1;
    }
    return 0;
}

static PyObject *
get_above(PyObject *self, void *unused)
{
    xlator_t *this = alive(self);
    PyObject *list = this ? PyList_New(0) : NULL;

    (void)unused;
    if (list && add_above(list, this) != 0)
        Py_CLEAR(list);
    return list;
}

/* Who brings up the graphs of the process, if they are an application's: mount/fuse, mount/api. */
static PyObject *
get_master(PyObject *self, void *unused)
{
    xlator_t *this = alive(self);
    xlator_t *master;

    (void)unused;
    if (!this)
        return NULL;
    master = this->ctx->root;
    return master ? glupy_text(master->type) : Py_NewRef(Py_None);
}

static PyObject *
get_volfile_id(PyObject *self, void *unused)
{
    xlator_t *this = alive(self);
    const char *id;

    (void)unused;
    if (!this)
        return NULL;
    id = this->ctx->cmd_args.volfile_id;
    return id ? glupy_text(id) : Py_NewRef(Py_None);
}

/* The table stands with the highest translator that clients see: fuse and libgfapi make it for the top of their graph,
 * protocol/server for the child of its that a client has asked for, when the first one does. */
static inode_table_t *
table_above(xlator_t *xlator)
{
    inode_table_t *table = xlator->itable;

    for (xlator_list_t *parent = xlator->parents; parent && !table; parent = parent->next)
        table = table_above(parent->xlator);
    return table;
}

static PyObject *
get_itable(PyObject *self, void *unused)
{
    xlator_t *this = alive(self);
    inode_table_t *table;

    (void)unused;
    if (!this)
        return NULL;
    if (((struct glupy_instance *)self)->life.emptied)
        return PyErr_Format(PyExc_ReferenceError, "the graph of this translator is going, and its inode table with it");
    table = table_above(this);
    if (!table && this->graph && this->graph->top)
        table = ((xlator_t *)this->graph->top)->itable;
    ((struct glupy_instance *)self)->table = table;
    return glupy_inode_table_new(glupy_state_of(self), (struct glupy_instance *)self, table);
}

PyDoc_STRVAR(run_doc, "run($self, coroutine, pid=0, /)\n--\n\n"
                      "Run a coroutine that winds fops as a task of its own, on a frame of its own (root's identity,\n"
                      "and that pid), and wait for its\n"
                      "end: its value, or its exception raised. For threads of the author's own and for tests; inside a fop await\n"
                      "instead. RuntimeError when called from a fop.");

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
    return glupy_log_as(((struct glupy_instance *)object)->state, speaker(object), args);
}

static PyObject *
instance_log_level(PyObject *object, PyObject *unused)
{
    (void)unused;
    return glupy_log_level_of(speaker(object));
}

static PyObject *
instance_frames(PyObject *object, PyObject *unused)
{
    (void)unused;
    return glupy_watch_frames(&((struct glupy_instance *)object)->watch);
}

static PyObject *
get_going(PyObject *object, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((struct glupy_instance *)object)->tasks.going);
}

static PyObject *
instance_repr(PyObject *object)
{
    xlator_t *this = ((struct glupy_instance *)object)->this;

    return PyUnicode_FromFormat("<Instance %s>", this ? this->name : "(gone)");
}

static PyMethodDef instance_methods[] = {
    {"run", glupy_instance_run, METH_VARARGS, run_doc},
    {"spawn", glupy_instance_spawn, METH_VARARGS,
     "spawn($self, coroutine, version=..., endless=False, /)\n--\n\nStart a coroutine as a Task of its own and go on. What it raises is logged. It begins when\n"
     "the first child has come up, and its version (that of the latest loading, if none is given; None: it is of\n"
     "glupy's own) is in force. If it is endless, it ends when its version is replaced. RuntimeError once the\n"
     "graph is going, or the version has ended."},
    {"frames", instance_frames, METH_NOARGS,
     "frames($self, /)\n--\n\nWhere the threads are in Python that run the translator's code at this moment, @offload left out: their\n"
     "frames, in a list."},
    {"log", instance_log, METH_VARARGS,
     "log($self, level, name, file, line, function, message, /)\n--\n\n"
     "As glupy._core.log(), with the level and the graph of this translator, on any thread."},
    {"log_level", instance_log_level, METH_NOARGS,
     "log_level($self, /)\n--\n\n"
     "The gf_loglevel_t (logging.h) up to which this translator's entries are written now: its own log-level, else\n"
     "the process's."},
    {"configure", _PyCFunction_CAST(glupy_instance_configure), METH_VARARGS | METH_KEYWORDS,
     "configure($self, /, *, enabled, pass_on_error, budget, patience, level, text)\n--\n\n"
     "Put the values of the common options in force, and text (a line NAME=VALUE each) where it can be read without\n"
     "Python."},
    {"report", _PyCFunction_CAST(glupy_instance_report), METH_VARARGS,
     "report($self, doing, error, /)\n--\n\nLog an exception with its traceback, as one of a fop."},
    {"task_failed", _PyCFunction_CAST(glupy_instance_task_failed), METH_VARARGS,
     "task_failed($self, doing, error, /)\n--\n\nThe same for what runs in the background: it is counted, and shown as its latest failure."},
    {"records", _PyCFunction_CAST(glupy_instance_records), METH_VARARGS,
     "records($self, written, dropped, /)\n--\n\n"
     "Count so many records of a Writer that are in the file, and that never will be."},
    {"replicate", instance_replicate, METH_VARARGS,
     "replicate($self, count, origin, /)\n--\n\n"
     "While the translator is being loaded: have it served by so many interpreters. The other ones load it by what they\n"
     "find in their Instance.origin, which is the bytes given. RuntimeError where there cannot be so many."},
    {"vote", glupy_instance_vote, METH_VARARGS,
     "vote($self, objection, ballot=None, /)\n--\n\n"
     "Go on with a change of options (None), or say why not. When all interpreters that serve the translator have said,\n"
     "each of them is told what the first objection was. It is one that they do not all give the same ballot."},
    {"begin_version", glupy_instance_begin_version, METH_NOARGS,
     "begin_version($self, /)\n--\n\n"
     "The translator's file is going to be loaded anew, beside the version that runs. RuntimeError once the graph is going."},
    {"prepare_version", glupy_instance_prepare_version, METH_VARARGS,
     "prepare_version($self, translator, methods, /)\n--\n\n"
     "It has been: this is the new object, after its init(), and its bound fops by name."},
    {"take_version", glupy_instance_take_version, METH_NOARGS,
     "take_version($self, /)\n--\n\n"
     "From now on requests begin in that one. The fini() of the one before is called when all that it began has left."},
    {"drop_version", glupy_instance_drop_version, METH_NOARGS,
     "drop_version($self, /)\n--\n\n"
     "It is not to be taken. What it has begun in the background ends, and its fini() is called if it came as far as\n"
     "prepare_version()."},
    {"end_tasks", glupy_instance_end_tasks, METH_O,
     "end_tasks($self, version, /)\n--\n\nCancel all that a version runs in the background."},
    {"load_anew", glupy_instance_load_anew, METH_VARARGS,
     "load_anew($self, name, text, /)\n--\n\n"
     "Change `option reload` of a layer of the same graph, as a new volfile would, and wait for it as GlusterFS does.\n"
     "LookupError where there is no such layer."},
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
    {"above", get_above, NULL, "list of (name, type, options): the layers above, those with two children once for each.", NULL},
    {"master", get_master, NULL, "Type of the process's master: 'mount/fuse', 'mount/api'; None where it has none.", NULL},
    {"volfile_id", get_volfile_id, NULL, "What the process was told to bring up (--volfile-id); None: nothing.", NULL},
    {"interpreter", get_interpreter, NULL, "Which of option interpreters it is served by: 0 is Python's main one.", NULL},
    {"origin", get_origin, NULL, "bytes: what a further interpreter is to load it by; None in the first.", NULL},
    {"going", get_going, NULL, "bool: whether the graph goes.", NULL},
    {"version", glupy_instance_get_version, NULL, "Version: that which is being loaded, else that which runs.", NULL},
    {"space", get_space, NULL, "str: a namespace of glupy.Shared that is this translator's alone.", NULL},
    {"itable", get_itable, NULL, "The graph's InodeTable, or None where it has none (yet).", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot instance_slots[] = {
    {Py_tp_doc, "One translator in one graph (xlator_t in xlator.h)."},
    {Py_tp_dealloc, glupy_instance_dealloc},
    {Py_tp_traverse, glupy_instance_traverse},
    {Py_tp_clear, glupy_instance_clear},
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
