/* Starting Python in a process of GlusterFS's: once, on a thread of our own that never ends, and never finalised.
 *
 * What is unusual here has a reason:
 *  - Isolated configuration: a daemon run by root must not take code from its environment or current directory.
 *  - The places of Python's own files are those of the Python that we were built for. Otherwise CPython looks for a python3
 *    on the PATH, isolated or not, and takes the library from around it: a virtual environment's, or anybody's.
 *  - No signal handlers: signals are GlusterFS's (it waits for them on a thread of its own).
 *  - libpython is made global: GlusterFS loads translators with RTLD_LOCAL, and Python's own extension modules (_ctypes,
 *    _ssl, numpy …) are not linked with libpython but expect to find its symbols.
 *  - Never finalised: GlusterFS exits with all its threads alive, and Py_FinalizeEx under running threads hangs or
 *    crashes. For the same reason this object is linked with -z nodelete: Python keeps pointers into it.
 *  - A process that already runs Python (a program that uses libgfapi) keeps its own: we move in with it. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "python.h"

#include "python/own_thread.h"

#include <dlfcn.h>
#include <glusterfs/common-utils.h>
#include <glusterfs/logging.h>
#include <libgen.h>
#include <pthread.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t decided;
    enum { NOT_STARTED, STARTING, RUNNING, FAILED } state;
    const struct glupy_core_api *core;
    xlator_t *this; /* the translator that is waiting: log entries go under its name, to where its process logs */
} python = {.lock = PTHREAD_MUTEX_INITIALIZER, .decided = PTHREAD_COND_INITIALIZER};

#define SAY(format, ...) gf_msg(python.this->name, GF_LOG_ERROR, 0, 0, format, __VA_ARGS__)

char *
glupy_own_folder(void)
{
    Dl_info info;
    char *path;

    if (!dladdr((void *)glupy_own_folder, &info))
        return NULL;
    path = realpath(info.dli_fname, NULL);
    if (path)
        *strrchr(path, '/') = '\0';
    return path;
}

/* A free-threaded Python's objects are laid out differently, and it says what it is. */
#define FREE_THREADING "free-threading"
#ifdef Py_GIL_DISABLED
#define FREE_THREADED true
#else
#define FREE_THREADED false
#endif

static const char *
kind_of_python(bool free_threaded)
{
    return free_threaded ? ", free-threaded" : "";
}

/* Symbols of a Python that the program brought along come before those of the libpython we were linked with. */
static bool
version_fits(void)
{
    bool free_threaded = strstr(Py_GetVersion(), FREE_THREADING) != NULL;
    int major = 0, minor = 0;

    sscanf(Py_GetVersion(), "%d.%d", &major, &minor);
    if (major == PY_MAJOR_VERSION && minor == PY_MINOR_VERSION && free_threaded == FREE_THREADED)
        return true;
    SAY("this glupy was built for Python %d.%d%s and finds Python %d.%d%s in this process: install the glupy for it",
        PY_MAJOR_VERSION, PY_MINOR_VERSION, kind_of_python(FREE_THREADED), major, minor, kind_of_python(free_threaded));
    return false;
}

static void
make_libpython_global(void)
{
    Dl_info info;

    if (dladdr((void *)Py_IsInitialized, &info) && !dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL))
        SAY("%s cannot be made global (%s): Python modules such as ctypes may fail to import", info.dli_fname, dlerror());
}

/* With a home, CPython looks neither for pyvenv.cfg nor for a ._pth file nor for the signs of a build directory. */
static PyStatus
set_places(PyConfig *config)
{
    const struct {
        wchar_t **where;
        const char *path;
    } places[] = {
        {&config->home, PYTHON_PREFIX ":" PYTHON_EXEC_PREFIX},
        {&config->program_name, PYTHON_EXECUTABLE},
        {&config->executable, PYTHON_EXECUTABLE},
        {&config->base_executable, PYTHON_EXECUTABLE},
        {&config->prefix, PYTHON_PREFIX},
        {&config->base_prefix, PYTHON_PREFIX},
        {&config->exec_prefix, PYTHON_EXEC_PREFIX},
        {&config->base_exec_prefix, PYTHON_EXEC_PREFIX},
        {&config->stdlib_dir, PYTHON_STDLIB},
    };
    PyStatus status = PyStatus_Ok();

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !PyStatus_Exception(status); i++)
        status = PyConfig_SetBytesString(config, places[i].where, places[i].path);
    return status;
}

/* They tell a Python, also one that is told to ignore its environment, what sys.executable is, beside which site.py looks
 * for pyvenv.cfg. CPython itself takes the second one out of the environment. */
static void
forget_launchers(void)
{
    unsetenv("PYTHONEXECUTABLE");
    unsetenv("__PYVENV_LAUNCHER__");
}

static bool
initialize(void)
{
    PyConfig config;
    PyStatus status;

    make_libpython_global();
    forget_launchers();
    PyConfig_InitIsolatedConfig(&config);
    config.install_signal_handlers = 0;
    config.parse_argv = 0;
#ifdef Py_GIL_DISABLED
    config.enable_gil = 1; /* from the beginning, rather than with a warning when glupy._core asks for it */
#endif
    status = set_places(&config);
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status)) {
        SAY("Python does not start (its library is to be in %s): %s%s%s", PYTHON_STDLIB, status.func ? status.func : "",
            status.func ? ": " : "", status.err_msg ? status.err_msg : "no reason given");
        return false;
    }
    return true;
}

/* The current exception with its traceback, as one entry. */
static void
say_exception(const char *doing)
{
    PyObject *type, *value, *traceback, *module, *lines = NULL, *joined = NULL, *empty;

    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    module = PyImport_ImportModule("traceback");
    empty = PyUnicode_FromString("");
    if (module && empty)
        lines = PyObject_CallMethod(module, "format_exception", "OOO", type, value ? value : Py_None,
                                    traceback ? traceback : Py_None);
    if (lines)
        joined = PyUnicode_Join(empty, lines);
    SAY("%s: %s", doing, joined ? PyUnicode_AsUTF8(joined) : "an exception that cannot be described");
    Py_XDECREF(joined);
    Py_XDECREF(lines);
    Py_XDECREF(empty);
    Py_XDECREF(module);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    PyErr_Clear();
}

/* The package lies beside us: FOLDER/glupy.so, FOLDER/python/glupy/. First on the path, so that no other takes its
 * place. */
static bool
add_own_path(void)
{
    char *folder = glupy_own_folder();
    PyObject *path = PySys_GetObject("path"), *entry = NULL;
    bool added;

    if (folder)
        entry = PyUnicode_FromFormat("%s/python", folder);
    added = path && entry && PyList_Insert(path, 0, entry) == 0;
    Py_XDECREF(entry);
    free(folder);
    return added;
}

static const struct glupy_core_api *
import_core(void)
{
    PyObject *module = PyImport_ImportModule("glupy._core");
    const struct glupy_core_api *core = module ? PyCapsule_Import(GLUPY_CORE_CAPSULE, 0) : NULL;

    Py_XDECREF(module);
    if (!core) {
        say_exception("glupy's own Python package does not import; is the installation complete?");
        return NULL;
    }
    if (core->version != GLUPY_CORE_API_VERSION) {
        SAY("glupy.so speaks version %d and the Python package glupy version %u: they are of different builds",
            GLUPY_CORE_API_VERSION, core->version);
        return NULL;
    }
    return core;
}

/* Call glupy._runtime.started(embedded). */
static bool
tell_runtime(bool embedded)
{
    PyObject *module = PyImport_ImportModule("glupy._runtime");
    PyObject *result = module ? PyObject_CallMethod(module, "started", "O", embedded ? Py_True : Py_False) : NULL;

    Py_XDECREF(module);
    if (!result)
        say_exception("glupy's own Python package does not start");
    Py_XDECREF(result);
    return result != NULL;
}

/* Attached: import what is ours. */
static const struct glupy_core_api *
import_all(bool embedded)
{
    const struct glupy_core_api *core = import_core();

    return core && tell_runtime(embedded) ? core : NULL;
}

/* A Python of our own; the thread is left detached. */
static const struct glupy_core_api *
start_own(void)
{
    const struct glupy_core_api *core;

    if (!initialize())
        return NULL;
    if (!add_own_path())
        say_exception("glupy's own folder cannot be put on Python's path");
    core = import_all(true);
    PyEval_SaveThread();
    return core;
}

/* The Python of the program that uses libgfapi; its path leads to glupy, or ours is put first. */
static const struct glupy_core_api *
join_host(void)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *found = PyImport_ImportModule("glupy");
    const struct glupy_core_api *core;

    PyErr_Clear();
    if (!found)
        add_own_path();
    Py_XDECREF(found);
    core = import_all(false);
    PyGILState_Release(gil);
    return core;
}

static const struct glupy_core_api *
start(void)
{
    if (!version_fits())
        return NULL;
    return Py_IsInitialized() ? join_host() : start_own();
}

static void *
main_thread(void *unused)
{
    const struct glupy_core_api *core;

    THIS = python.this;
    core = start();
    THIS = NULL; /* which stands for the global one */
    pthread_mutex_lock(&python.lock);
    python.core = core;
    python.state = core ? RUNNING : FAILED;
    pthread_cond_broadcast(&python.decided);
    pthread_mutex_unlock(&python.lock);
    if (core)
        core->serve();
    return unused;
}

static bool
create_main_thread(void)
{
    int error = glupy_start_thread(main_thread, NULL, "glupymain");

    if (error)
        SAY("no thread for Python: %s", strerror(error));
    return error == 0;
}

const struct glupy_core_api *
glupy_python_start(xlator_t *this)
{
    const struct glupy_core_api *core;

    pthread_mutex_lock(&python.lock);
    python.this = this;
    if (python.state == NOT_STARTED)
        python.state = create_main_thread() ? STARTING : NOT_STARTED;
    while (python.state == STARTING)
        pthread_cond_wait(&python.decided, &python.lock);
    if (python.state == FAILED)
        SAY("%s", "Python did not start in this process; the reason stands further up in this log");
    core = python.core;
    pthread_mutex_unlock(&python.lock);
    return core;
}
