/* The translator, which lets everything pass, and the Python module `driver`. See driver.h. */
#include "driver.h"

#define EXPORT __attribute__((visibility("default")))
#define MOST_DRIVERS 256

/* The drivers of all graphs in this process. Graphs come and go under the interpreter's lock, released only while one
 * is made or measured, and all by one thread. */
static xlator_t *drivers[MOST_DRIVERS];

static int32_t
driver_init(xlator_t *this)
{
    if (!this->children) {
        gf_msg(this->name, GF_LOG_ERROR, EINVAL, 0, "the driver needs a subvolume; it sends to the first");
        return -1;
    }
    for (int i = 0; i < MOST_DRIVERS; i++) {
        if (!drivers[i]) {
            drivers[i] = this;
            return 0;
        }
    }
    gf_msg(this->name, GF_LOG_ERROR, ENOSPC, 0, "there are %d drivers already", MOST_DRIVERS);
    return -1;
}

static void
driver_fini(xlator_t *this)
{
    for (int i = 0; i < MOST_DRIVERS; i++)
        if (drivers[i] == this)
            drivers[i] = NULL;
}

static struct xlator_fops fops;
static struct xlator_cbks cbks;

EXPORT xlator_api_t xlator_api = {
    .identifier = "driver",
    .category = GF_EXPERIMENTAL,
    .op_version = {1},
    .init = driver_init,
    .fini = driver_fini,
    .fops = &fops,
    .cbks = &cbks,
};

static xlator_t *
find_driver(const char *name)
{
    for (int i = 0; i < MOST_DRIVERS; i++)
        if (drivers[i] && strcmp(drivers[i]->name, name) == 0)
            return drivers[i];
    return NULL;
}

static PyObject *
send_fops(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"driver", "fop", "threads", "count", "window", "stack_size", "warm_up", NULL};
    struct bench_run run = {.window = 1, .stack_size = 8u << 20, .warm_up = 64};
    const char *driver, *name;
    int error;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "ssIK|InI", names, &driver, &name, &run.threads, &run.count,
                                     &run.window, &run.stack_size, &run.warm_up))
        return NULL;
    const struct bench_fop *fop = bench_fop(name);
    xlator_t *top = find_driver(driver);
    if (!fop || !top || !run.threads || !run.window)
        return PyErr_Format(PyExc_LookupError, "no driver %s, no fop %s, no threads or no window", driver, name);
    Py_BEGIN_ALLOW_THREADS
    error = bench_send(top, fop, &run);
    Py_END_ALLOW_THREADS
    if (error) {
        errno = error;
        return PyErr_SetFromErrnoWithFilename(PyExc_OSError, name);
    }
    return Py_BuildValue("KK", run.wall, run.cpu);
}

static PyMethodDef methods[] = {
    {"send", _PyCFunction_CAST(send_fops), METH_VARARGS | METH_KEYWORDS,
     "send(driver, fop, threads, count, window=1, stack_size=8388608, warm_up=64)\n--\n\n"
     "Each thread sends `count` fops through the graph below a driver, `window` at a time. Gives the nanoseconds from\n"
     "start to end, and the CPU time of the process meanwhile. OSError if a reply was not the one expected."},
    {"floor", _PyCFunction_CAST(bench_floor), METH_VARARGS | METH_KEYWORDS,
     "floor(method, args, threads, count, attach)\n--\n\n"
     "Call a method, and drive the coroutine that it returns, without GlusterFS (floor.c). Gives what send() gives."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "driver",
    .m_doc = "What the bench is driven by; see driver.h.",
    .m_size = -1,
    .m_methods = methods,
};

EXPORT PyObject *
PyInit_driver(void)
{
    PyObject *module = PyModule_Create(&definition);
    PyObject *child = module ? bench_floor_child_type() : NULL;

    if (!child || PyModule_AddObject(module, "Child", child) != 0)
        Py_CLEAR(module);
    return module;
}
