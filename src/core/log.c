/* Saying what went wrong, in GlusterFS's log. See log.h. */
#include "log.h"

#include "compat.h"
#include "types/types.h"

void
glupy_log(const char *name, gf_loglevel_t level, const char *file, int line, const char *function, const char *text)
{
    Py_BEGIN_ALLOW_THREADS
    _gf_msg(name, file, function, line, level, 0, 0, 0, "%s", text);
    Py_END_ALLOW_THREADS
}

#define SHOWN 500 /* characters of an author's value in a message */

/* A path of the inode as far as its table knows one, else its gfid. A new reference. */
static PyObject *
path_of_inode(inode_t *inode)
{
    char *path = NULL, gfid[GF_UUID_BUF_SIZE];
    PyObject *text;

    if (inode_path(inode, NULL, &path) < 0 || !path)
        return PyUnicode_FromFormat("<gfid:%s>", uuid_utoa_r(inode->gfid, gfid));
    text = glupy_text(path);
    GF_FREE(path);
    return text;
}

PyObject *
glupy_request_path(struct glupy_request *request)
{
    const char *path;
    inode_t *inode;

    if (!glupy_request_place(request, &path, &inode))
        Py_RETURN_NONE;
    return path ? glupy_text(path) : path_of_inode(inode);
}

PyObject *
glupy_shown(PyObject *value)
{
    PyObject *shown = PyObject_Repr(value), *cut;

    if (!shown) {
        PyErr_Clear();
        shown = PyUnicode_FromFormat("a %s that has no repr()", Py_TYPE(value)->tp_name);
    }
    cut = shown ? PyUnicode_Substring(shown, 0, SHOWN) : NULL;
    Py_XDECREF(shown);
    PyErr_Clear();
    return cut;
}

/* Text for an exception when not even the traceback module can be used. */
static PyObject *
plain_description(PyObject *exception)
{
    PyObject *text = PyUnicode_FromFormat("%s (its traceback could not be formatted)", Py_TYPE(exception)->tp_name);

    PyErr_Clear();
    return text;
}

static void
log_text(struct glupy_instance *instance, const char *fop, PyObject *text)
{
    PyObject *bytes = text ? PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace") : NULL;

    PyErr_Clear();
    glupy_log(instance->this ? instance->this->name : "glupy", GF_LOG_ERROR, "glupy", 0, fop,
              bytes ? PyBytes_AS_STRING(bytes) : "an exception, and no memory to describe it");
    Py_XDECREF(bytes);
}

static void
describe_and_log(struct glupy_instance *instance, const char *fop, PyObject *path)
{
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *text = NULL;

    if (exception && instance->state->runtime && path)
        text = PyObject_CallMethod(instance->state->runtime, "describe", "OssO", exception,
                                   instance->this ? instance->this->name : "glupy", fop, path);
    if (exception && !text)
        text = plain_description(exception);
    log_text(instance, fop, text);
    Py_XDECREF(text);
    Py_XDECREF(exception);
    Py_XDECREF(path);
    PyErr_Clear();
}

void
glupy_log_exception(struct glupy_request *request)
{
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *path = glupy_request_path(request);

    glupy_stats_exception(request);
    PyErr_Clear();
    if (exception)
        PyErr_SetRaisedException(exception);
    describe_and_log(request->instance, request->fop ? request->fop->name : "task", path);
}

void
glupy_log_exception_doing(struct glupy_instance *instance, const char *doing)
{
    describe_and_log(instance, doing, Py_NewRef(Py_None));
}

/* On a thread that works for another xlator, or for none. It stays attached: nothing else keeps `as` from being freed
 * while it is THIS here, and the log calls nobody back. */
static void
log_attached(xlator_t *as, const char *name, gf_loglevel_t level, const char *file, int line, const char *function,
             const char *text)
{
    xlator_t *before = THIS;

    THIS = as;
    _gf_msg(name, file, function, line, level, 0, 0, 0, "%s", text);
    THIS = before;
}

PyObject *
glupy_log_as(xlator_t *as, PyObject *args)
{
    const char *name, *file, *function, *text;
    int level, line;

    if (!PyArg_ParseTuple(args, "ississ:log", &level, &name, &file, &line, &function, &text))
        return NULL;
    if (level < GF_LOG_NONE || level > GF_LOG_TRACE)
        return PyErr_Format(PyExc_ValueError, "level: expected a gf_loglevel_t (0 to %d), not %d", GF_LOG_TRACE, level);
    if (as != THIS)
        log_attached(as, name, (gf_loglevel_t)level, file, line, function, text);
    else if (as->ctx)
        glupy_log(name, (gf_loglevel_t)level, file, line, function, text);
    Py_RETURN_NONE;
}

/* The rule of skip_logging() in logging.c. */
PyObject *
glupy_log_level_of(xlator_t *as)
{
    gf_loglevel_t level = as->loglevel;

    if (!level)
        level = as->ctx ? as->ctx->log.loglevel : GF_LOG_NONE;
    return PyLong_FromLong(level);
}

PyObject *
glupy_log_method(PyObject *module, PyObject *args)
{
    (void)module;
    return glupy_log_as(THIS, args);
}

PyObject *
glupy_log_level_method(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return glupy_log_level_of(THIS);
}
