/* Saying what went wrong, in GlusterFS's log. See log.h.
 *
 * By _gf_log(): what goes through _gf_msg() is held back for up to two minutes, and counted, where one of the last few entries
 * was the same. An author who prints the same line again has to see it. */
#include "observe/log.h"

#include "base/compat.h"
#include "python/forked.h"
#include "values/types/types.h"

static void
say_in_child(const char *name, gf_loglevel_t level, const char *file, int line, const char *function, const char *text)
{
    static const char letters[] = " MACEWNIDT";

    if (level <= glupy_log_level(THIS))
        glupy_child_say(name, letters[level], file, line, function, text);
}

void
glupy_log(struct glupy_state *state, const char *name, gf_loglevel_t level, const char *file, int line, const char *function,
          const char *text)
{
    if (glupy_in_child) {
        say_in_child(name, level, file, line, function, text);
        return;
    }
    state->away++; /* THIS stays until we are back */
    Py_BEGIN_ALLOW_THREADS
    _gf_log(name, file, function, line, level, "%s", text);
    Py_END_ALLOW_THREADS
    state->away--;
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
log_text(struct glupy_state *state, const char *name, const char *doing, PyObject *text)
{
    PyObject *bytes = text ? PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace") : NULL;

    PyErr_Clear();
    glupy_log(state, name, GF_LOG_ERROR, "glupy", 0, doing,
              bytes ? PyBytes_AS_STRING(bytes) : "an exception, and no memory to describe it");
    Py_XDECREF(bytes);
}

void
glupy_log_raised(struct glupy_state *state, const char *name, const char *doing, PyObject *about)
{
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *text = NULL;

    if (exception && state->runtime)
        text = PyObject_CallMethod(state->runtime, "describe", "OssO", exception, name, doing, about ? about : Py_None);
    if (exception && !text)
        text = plain_description(exception);
    log_text(state, name, doing, text);
    Py_XDECREF(text);
    Py_XDECREF(exception);
    PyErr_Clear();
}

/* On a thread that works for another xlator, or for none. It stays attached: nothing else keeps `as` from being freed
 * while it is THIS here, and the log calls nobody back. */
static void
log_attached(xlator_t *as, const char *name, gf_loglevel_t level, const char *file, int line, const char *function,
             const char *text)
{
    xlator_t *before = THIS;

    THIS = as;
    if (glupy_in_child)
        say_in_child(name, level, file, line, function, text);
    else
        _gf_log(name, file, function, line, level, "%s", text);
    THIS = before;
}

void
glupy_log_entry(struct glupy_state *state, xlator_t *as, const char *name, gf_loglevel_t level, const char *file, int line,
                const char *function, const char *text)
{
    if (as != THIS)
        log_attached(as, name, level, file, line, function, text);
    else if (as->ctx)
        glupy_log(state, name, level, file, line, function, text);
}

PyObject *
glupy_log_as(struct glupy_state *state, xlator_t *as, PyObject *args)
{
    const char *name, *file, *function, *text;
    int level, line;

    if (!PyArg_ParseTuple(args, "ississ:log", &level, &name, &file, &line, &function, &text))
        return NULL;
    if (level < GF_LOG_NONE || level > GF_LOG_TRACE)
        return PyErr_Format(PyExc_ValueError, "level: expected a gf_loglevel_t (0 to %d), not %d", GF_LOG_TRACE, level);
    glupy_log_entry(state, as, name, (gf_loglevel_t)level, file, line, function, text);
    Py_RETURN_NONE;
}

PyObject *
glupy_log_level_of(xlator_t *as)
{
    return PyLong_FromLong(glupy_log_level(as));
}

PyObject *
glupy_log_method(PyObject *module, PyObject *args)
{
    return glupy_log_as(PyModule_GetState(module), THIS, args);
}

PyObject *
glupy_log_level_method(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return glupy_log_level_of(THIS);
}

PyObject *
glupy_log_file_method(PyObject *module, PyObject *unused)
{
    glusterfs_ctx_t *ctx = THIS->ctx;

    (void)module;
    (void)unused;
    if (!ctx || !ctx->log.filename || ctx->log.logger == gf_logger_syslog)
        Py_RETURN_NONE;
    return PyUnicode_DecodeFSDefault(ctx->log.filename);
}

PyObject *
glupy_half_line_method(PyObject *module, PyObject *unused)
{
    struct glupy_thread *thread = glupy_thread_if_any();

    (void)module;
    (void)unused;
    if (thread)
        thread->half_line = true;
    Py_RETURN_NONE;
}

void
glupy_log_half_lines(struct glupy_thread *thread)
{
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *streams = PyImport_ImportModule("glupy.logs.streams");
    PyObject *done = streams ? PyObject_CallMethod(streams, "flush_half_lines", NULL) : NULL;

    /* One of another interpreter's, if this stay is inside one there, waits for the outer one's end. */
    thread->half_line = thread->inside > 1;
    if (!done)
        PyErr_Clear();
    Py_XDECREF(done);
    Py_XDECREF(streams);
    if (exception)
        PyErr_SetRaisedException(exception);
}
