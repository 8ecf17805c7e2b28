/* Making interpreters, and which state belongs to which. See interpreter.h. */
#include "python/interpreter.h"

#include <stdatomic.h>

#include "base/compat.h"
#include "python/thread.h"

static struct {
    PyInterpreterState *interpreter;
    struct glupy_state *state;
} interpreters[GLUPY_MAX_INTERPRETERS];

/* Both are written by Python's main thread only, and before anyone can know of the interpreter. */
static atomic_uint made;
static unsigned making = GLUPY_NO_INTERPRETER;

void
glupy_interpreter_register(struct glupy_state *state)
{
    bool main = PyInterpreterState_Get() == PyInterpreterState_Main();

    state->interpreter = !main ? making : made ? GLUPY_NO_INTERPRETER : 0;
    if (state->interpreter == GLUPY_NO_INTERPRETER)
        return;
    interpreters[state->interpreter].interpreter = PyInterpreterState_Get();
    interpreters[state->interpreter].state = state;
    made++;
    making = GLUPY_NO_INTERPRETER;
}

unsigned
glupy_interpreters_made(void)
{
    return made;
}

struct glupy_state *
glupy_interpreter_state(unsigned number)
{
    return interpreters[number].state;
}

PyThreadState *
glupy_interpreter_new_thread_state(unsigned number)
{
    PyThreadState *tstate = PyThreadState_New(interpreters[number].interpreter);

    if (!tstate)
        Py_FatalError("glupy: no memory for a thread state");
    return tstate;
}

#if PY_VERSION_HEX >= 0x030c0000

/* What goes from one interpreter to another does so as bytes, here a sys.path as a list of text that marshal wrote. */
static PyObject *
marshalled_path(void)
{
    PyObject *path = PySys_GetObject("path"), *marshal = PyImport_ImportModule("marshal"), *bytes = NULL;

    if (path && marshal)
        bytes = PyObject_CallMethod(marshal, "dumps", "O", path);
    Py_XDECREF(marshal);
    return bytes;
}

static int
set_path(const char *data, Py_ssize_t size)
{
    PyObject *marshal = PyImport_ImportModule("marshal");
    PyObject *path = marshal ? PyObject_CallMethod(marshal, "loads", "y#", data, size) : NULL;
    int failed = !path || PySys_SetObject("path", path) != 0;

    Py_XDECREF(path);
    Py_XDECREF(marshal);
    return failed ? -1 : 0;
}

/* In the new interpreter: glupy's package comes from where the main one's comes from. */
static int
furnish(const char *path, Py_ssize_t size)
{
    PyObject *runtime = NULL, *started = NULL;

    if (set_path(path, size) == 0)
        runtime = PyImport_ImportModule("glupy._runtime");
    if (runtime)
        started = PyObject_CallMethod(runtime, "started", "O", Py_True);
    Py_XDECREF(started);
    Py_XDECREF(runtime);
    return started ? 0 : -1;
}

#define REASON_ROOM 512

/* Why it failed, for the main interpreter to tell: the exception itself cannot be taken along. */
static void
note_reason(char *reason)
{
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *text = exception ? PyObject_Str(exception) : NULL;
    const char *utf8 = text ? PyUnicode_AsUTF8(text) : NULL;

    snprintf(reason, REASON_ROOM, "%s: %s", exception ? Py_TYPE(exception)->tp_name : "error", utf8 ? utf8 : "");
    PyErr_Clear();
    Py_XDECREF(text);
    Py_XDECREF(exception);
}

/* Leaves the thread attached to the main interpreter, as it came. */
static int
make_one(struct glupy_thread *thread, const char *path, Py_ssize_t size)
{
    PyInterpreterConfig config = {
        .use_main_obmalloc = 0,
        .allow_fork = 0,
        .allow_exec = 0,
        .allow_threads = 1,
        .allow_daemon_threads = 1, /* it is never finalised */
        .check_multi_interp_extensions = 1,
        .gil = PyInterpreterConfig_OWN_GIL,
    };
    PyThreadState *main = thread->tstates[0], *first = NULL;
    char reason[REASON_ROOM];
    unsigned number = made;
    int failed;
    PyStatus status = Py_NewInterpreterFromConfig(&first, &config);

    if (PyStatus_Exception(status)) {
        PyErr_Format(PyExc_RuntimeError, "Python does not make another interpreter: %s",
                     status.err_msg ? status.err_msg : "it gives no reason");
        return -1;
    }
    making = number;
    failed = furnish(path, size) != 0;
    making = GLUPY_NO_INTERPRETER;
    if (failed) {
        note_reason(reason);
        /* Had it got as far as a state, the number stays taken by an interpreter that nobody enters. */
        Py_EndInterpreter(first);
        made = number;
        interpreters[number].interpreter = NULL;
        PyEval_RestoreThread(main);
        PyErr_Format(PyExc_RuntimeError, "glupy does not start in another interpreter: %s", reason);
        return -1;
    }
    thread->tstates[number] = PyEval_SaveThread();
    PyEval_RestoreThread(main);
    return 0;
}

static int
make_all(struct glupy_thread *thread, unsigned count, const char *path, Py_ssize_t size)
{
    int failed = 0;

    if (!glupy_stay_begin(thread)) {
        PyErr_SetString(PyExc_RuntimeError, "this program is about to end");
        return -1;
    }
    while (!failed && made < count)
        failed = make_one(thread, path, size);
    glupy_stay_end(thread);
    return failed;
}

int
glupy_interpreters_need(unsigned count)
{
    PyObject *path = marshalled_path();
    int failed = !path;

    if (!failed)
        failed = make_all(glupy_thread_if_any(), count, PyBytes_AS_STRING(path), PyBytes_GET_SIZE(path)) != 0;
    Py_XDECREF(path);
    return failed ? -1 : 0;
}

#else

int
glupy_interpreters_need(unsigned count)
{
    if (count <= 1)
        return 0;
    PyErr_Format(PyExc_RuntimeError,
                 "several interpreters need Python 3.12 or later, and this is %d.%d: leave the option out",
                 PY_MAJOR_VERSION, PY_MINOR_VERSION);
    return -1;
}

#endif
