/* `self.log.info` and its like: a line in GlusterFS's log without Python's logging. See log_method.h.
 *
 * A LogRecord, and all that may come of it, takes twice as many instructions as GlusterFS's own function that writes the line. So
 * each of a translator's loggers has these objects as attributes, in front of the methods of its class (glupy/logs/loggers.py).
 * One looks first whether GlusterFS would write at this level; then whether an author, or a library, has hung anything into
 * logging that is to see the record; and only if nobody has is the line written from here. In any other case, and where anything
 * is not as expected, the method of the class is called as if this was not there. */
#include "lifecycle/log_method.h"

#include <structmember.h>

#include "base/compat.h"
#include "instance/instance.h"
#include "observe/log.h"

/* What is looked at, in the loggers and in the module: the names stand in `attributes` in this order. */
enum attribute { DISABLED, LEVEL, FILTERS, HANDLERS, PROPAGATE, PARENT, MANAGER_DISABLES, FORMATTER, RECORDS, ATTRIBUTES };

static const char *const attributes[ATTRIBUTES] = {"disabled", "level",     "filters",   "handlers",         "propagate",
                                                   "parent",   "_disable", "formatter", "_logRecordFactory"};

struct log_method {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *method;  /* of the class, bound to the logger */
    PyObject *name;    /* what the line is said to come from */
    PyObject *logging; /* the module's dict */
    PyObject *file;    /* that the module is in */
    PyObject *manager;
    PyObject *handler; /* the type that takes records to GlusterFS's log */
    PyObject *records; /* the type of record that it knows */
    PyObject *names[ATTRIBUTES];
    struct glupy_instance *instance;
    int level; /* Python's, of what it says; ANY: its first argument */
    int lowest[GF_LOG_TRACE]; /* Python's levels that are written at GlusterFS's begin with these; from GF_LOG_CRITICAL on */
};

#define ANY (-1)

/* What is said, and how loud. */
struct line {
    int level;
    gf_loglevel_t gluster;
    PyObject *const *args; /* the format first */
    Py_ssize_t nargs;
};

/* As gluster_level() of loggers.py, from whose table `lowest` is. */
static gf_loglevel_t
gluster_level(struct log_method *self, int level)
{
    gf_loglevel_t gluster = GF_LOG_CRITICAL;

    while (gluster < GF_LOG_TRACE && level < self->lowest[gluster])
        gluster++;
    return gluster;
}

/* The log outlives the graph: what is said later is said for whoever the thread works for. */
static xlator_t *
speaker(struct log_method *self)
{
    return self->instance->this ? self->instance->this : THIS;
}

/* An attribute that an object has by itself: borrowed, or NULL without an exception. */
static PyObject *
own_attribute(struct log_method *self, PyObject *object, enum attribute at)
{
    PyObject *dict = PyObject_GenericGetDict(object, NULL), *value;

    value = dict ? PyDict_GetItemWithError(dict, self->names[at]) : NULL;
    Py_XDECREF(dict); /* the object keeps it */
    if (!value)
        PyErr_Clear();
    return value;
}

static bool
is_empty_list(PyObject *value)
{
    return value && PyList_CheckExact(value) && PyList_GET_SIZE(value) == 0;
}

/* A level that lets ours through; -1: it is no number. */
static int
level_of(PyObject *value)
{
    long level = value && PyLong_CheckExact(value) ? PyLong_AsLong(value) : -1;

    if (level == -1)
        PyErr_Clear();
    return level >= 0 && level < INT_MAX ? (int)level : -1;
}

/* The root's one handler is ours, and gets records as they are made. */
static bool
handles_alone(struct log_method *self, PyObject *root)
{
    PyObject *handlers = own_attribute(self, root, HANDLERS), *handler;

    if (!handlers || !PyList_CheckExact(handlers) || PyList_GET_SIZE(handlers) != 1)
        return false;
    handler = PyList_GET_ITEM(handlers, 0);
    return (PyObject *)Py_TYPE(handler) == self->handler && is_empty_list(own_attribute(self, handler, FILTERS)) &&
           own_attribute(self, handler, FORMATTER) == Py_None && level_of(own_attribute(self, handler, LEVEL)) == 0 &&
           PyDict_GetItemWithError(self->logging, self->names[RECORDS]) == self->records;
}

/* Nothing in Python's logging wants to see the record, or keeps it from being made. */
static bool
goes_straight(struct log_method *self, int level)
{
    PyObject *logger = PyMethod_GET_SELF(self->method), *root = own_attribute(self, logger, PARENT);
    int own = level_of(own_attribute(self, logger, LEVEL));
    int least = own || !root ? own : level_of(own_attribute(self, root, LEVEL));
    int disables = level_of(own_attribute(self, self->manager, MANAGER_DISABLES));

    return root && own_attribute(self, logger, DISABLED) == Py_False && least >= 0 && level >= least && disables >= 0 &&
           level > disables && is_empty_list(own_attribute(self, logger, FILTERS)) &&
           is_empty_list(own_attribute(self, logger, HANDLERS)) && own_attribute(self, logger, PROPAGATE) == Py_True &&
           handles_alone(self, root);
}

/* LogRecord takes a single mapping for the names of a format. Other types than these may be one. */
static bool
is_no_mapping(PyObject *value)
{
    PyMappingMethods *mapping = Py_TYPE(value)->tp_as_mapping;

    return PyUnicode_CheckExact(value) || PyBytes_CheckExact(value) || PyTuple_CheckExact(value) || PyList_CheckExact(value) ||
           !mapping || !mapping->mp_subscript;
}

/* What LogRecord.getMessage() gives; NULL with or without an exception: let that say it. */
static PyObject *
message(PyObject *const *args, Py_ssize_t nargs)
{
    PyObject *format = PyObject_Str(args[0]), *values, *text;

    if (!format || nargs == 1)
        return format;
    if (nargs == 2 && !is_no_mapping(args[1])) {
        Py_DECREF(format);
        return NULL;
    }
    values = PyTuple_New(nargs - 1);
    for (Py_ssize_t i = 1; values && i < nargs; i++)
        PyTuple_SET_ITEM(values, i - 1, Py_NewRef(args[i]));
    text = values ? PyUnicode_Format(format, values) : NULL;
    Py_XDECREF(values);
    Py_DECREF(format);
    return text;
}

/* As a C string; NULL, maybe with an exception: it has what such a one cannot hold. */
static const char *
plain(PyObject *text)
{
    Py_ssize_t size;
    const char *bytes = PyUnicode_AsUTF8AndSize(text, &size);

    return bytes && strlen(bytes) == (size_t)size ? bytes : NULL;
}

/* At the line of the caller's, unless that is one of logging's own. False: it is not written. */
static bool
write_line(struct log_method *self, gf_loglevel_t level, PyObject *text)
{
    PyFrameObject *frame = PyEval_GetFrame();
    PyCodeObject *code = frame ? PyFrame_GetCode(frame) : NULL;
    bool ours = code && PyUnicode_Compare(code->co_filename, self->file) != 0;
    const char *file = ours ? plain(code->co_filename) : NULL, *function = file ? plain(code->co_name) : NULL;
    const char *bytes = function ? plain(text) : NULL, *name = bytes ? plain(self->name) : NULL;

    if (name)
        glupy_log_entry(self->instance->state, speaker(self), name, level, file, PyFrame_GetLineNumber(frame), function,
                        bytes);
    Py_XDECREF(code);
    return name;
}

static bool
said_straight(struct log_method *self, const struct line *line)
{
    PyObject *text = goes_straight(self, line->level) ? message(line->args, line->nargs) : NULL;
    bool written = text && write_line(self, line->gluster, text);

    Py_XDECREF(text);
    if (!written)
        PyErr_Clear();
    return written;
}

/* False: these are not the arguments that the method expects. */
static bool
read_line(struct log_method *self, PyObject *const *args, Py_ssize_t nargs, struct line *line)
{
    bool any = self->level == ANY;

    line->level = !any ? self->level : nargs > 0 ? level_of(args[0]) : -1;
    line->gluster = gluster_level(self, line->level);
    line->args = args + any;
    line->nargs = nargs - any;
    return line->level >= 0 && line->nargs > 0;
}

static PyObject *
call(PyObject *object, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    struct log_method *self = (struct log_method *)object;
    struct line line;

    if (read_line(self, args, PyVectorcall_NARGS(nargsf), &line) &&
        (line.gluster > glupy_log_level(speaker(self)) || (!kwnames && said_straight(self, &line))))
        Py_RETURN_NONE;
    return PyObject_Vectorcall(self->method, args, nargsf, kwnames);
}

static int
traverse(PyObject *object, visitproc visit, void *arg)
{
    struct log_method *self = (struct log_method *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->method);
    Py_VISIT(self->logging);
    Py_VISIT(self->manager);
    Py_VISIT(self->handler);
    Py_VISIT(self->records);
    Py_VISIT(self->instance);
    return 0;
}

static void
dealloc(PyObject *object)
{
    struct log_method *self = (struct log_method *)object;
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    Py_XDECREF(self->method);
    Py_XDECREF(self->name);
    Py_XDECREF(self->logging);
    Py_XDECREF(self->file);
    Py_XDECREF(self->manager);
    Py_XDECREF(self->handler);
    Py_XDECREF(self->records);
    Py_XDECREF(self->instance);
    for (unsigned i = 0; i < ATTRIBUTES; i++)
        Py_XDECREF(self->names[i]);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyObject *
repr(PyObject *object)
{
    return PyObject_Repr(((struct log_method *)object)->method);
}

/* What else one asks of a method: __name__, __doc__, __func__. */
static PyObject *
get_attribute(PyObject *object, PyObject *name)
{
    return PyObject_GetAttr(((struct log_method *)object)->method, name);
}

static PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(struct log_method, vectorcall), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "A method of a translator's logger, with a short way into GlusterFS's log."},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_traverse, traverse},
    {Py_tp_dealloc, dealloc},
    {Py_tp_repr, repr},
    {Py_tp_getattro, get_attribute},
    {Py_tp_members, members},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "glupy._core._LogMethod",
    .basicsize = sizeof(struct log_method),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

int
glupy_log_method_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &spec, &state->log_method_type);
}

static int
intern_names(struct log_method *self)
{
    for (unsigned i = 0; i < ATTRIBUTES; i++)
        if (!(self->names[i] = PyUnicode_InternFromString(attributes[i])))
            return -1;
    return 0;
}

static int
take_levels(struct log_method *self, PyObject *lowest)
{
    for (unsigned i = GF_LOG_CRITICAL; i < GF_LOG_TRACE; i++) {
        PyObject *level = PySequence_GetItem(lowest, i);

        self->lowest[i] = level ? (int)PyLong_AsLong(level) : 0;
        Py_XDECREF(level);
        if (PyErr_Occurred())
            return -1;
    }
    return 0;
}

PyObject *
glupy_log_method_new(PyObject *module, PyObject *args)
{
    struct glupy_state *state = PyModule_GetState(module);
    PyObject *method, *instance, *lowest, *name, *logging, *file, *manager, *handler, *records;
    struct log_method *self;
    int level;

    if (!PyArg_ParseTuple(args, "O!O!iO!UO!UOOO:_log_method", &PyMethod_Type, &method, state->instance_type, &instance, &level,
                          &PyTuple_Type, &lowest, &name, &PyDict_Type, &logging, &file, &manager, &handler, &records))
        return NULL;
    self = (struct log_method *)state->log_method_type->tp_alloc(state->log_method_type, 0);
    if (!self)
        return NULL;
    self->vectorcall = call;
    self->method = Py_NewRef(method);
    self->instance = (struct glupy_instance *)Py_NewRef(instance);
    self->level = level;
    self->name = Py_NewRef(name);
    self->logging = Py_NewRef(logging);
    self->file = Py_NewRef(file);
    self->manager = Py_NewRef(manager);
    self->handler = Py_NewRef(handler);
    self->records = Py_NewRef(records);
    if (intern_names(self) != 0 || take_levels(self, lowest) != 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}
