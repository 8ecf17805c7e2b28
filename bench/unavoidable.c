/* The unavoidable part: what a fop through a layer in Python takes of CPython, whoever drives it.
 *
 * unavoidable KIND ARGUMENTS COUNT...    for each COUNT, that many fops; prints the nanoseconds of the clock and of CPU time
 *
 * A program of its own, without GlusterFS and without glupy. It attaches to the interpreter, makes an object for each of the
 * fop's arguments, calls the method, gives everything back, and detaches. Of an await (KIND `await`) it also makes the wind
 * and the reply, and drives the coroutine; and since GlusterFS must not be called with the interpreter held, it detaches
 * around the wind, whose callback comes at once. KIND `plain` is a method that returns None. Memory of objects is kept for
 * the next of their kind. There is nothing else in it: no checks, no counters, no frame, one thread.
 *
 * The bare floor (xlators/floor.c) has its arguments ready-made; this has not. A layer adds this and what one in C adds. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_ARGUMENTS 10
#define WARM_UP 64

/* An argument, a wind or a reply. */
struct thing {
    PyObject_HEAD
    union {
        struct thing *next_spare;
        PyObject *reply; /* a wind's, once it is there */
    };
    bool awaited;
};

static PyTypeObject *argument_type, *wind_type;
static struct thing *spare_arguments, *spare_winds;

static PyObject *
take(struct thing **spares, PyTypeObject *type)
{
    struct thing *self = *spares;

    if (self) {
        *spares = self->next_spare;
        Py_SET_REFCNT((PyObject *)self, 1);
    } else {
        self = PyObject_New(struct thing, type);
        if (!self)
            abort();
    }
    self->reply = NULL;
    self->awaited = false;
    return (PyObject *)self;
}

static void
give(struct thing **spares, PyObject *object)
{
    struct thing *self = (struct thing *)object;

    self->next_spare = *spares;
    *spares = self;
}

static void
argument_dealloc(PyObject *object)
{
    give(&spare_arguments, object);
}

static PyType_Slot argument_slots[] = {{Py_tp_dealloc, argument_dealloc}, {0, NULL}};

static PyType_Spec argument_spec = {
    .name = "unavoidable.Argument",
    .basicsize = sizeof(struct thing),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = argument_slots,
};

static void
wind_dealloc(PyObject *object)
{
    Py_XDECREF(((struct thing *)object)->reply);
    give(&spare_winds, object);
}

static PyObject *
wind_await(PyObject *self)
{
    return Py_NewRef(self);
}

static PySendResult
wind_send(PyObject *object, PyObject *value, PyObject **result)
{
    struct thing *self = (struct thing *)object;

    (void)value;
    if (self->awaited) {
        *result = Py_NewRef(self->reply);
        return PYGEN_RETURN;
    }
    self->awaited = true;
    *result = Py_NewRef(object);
    return PYGEN_NEXT;
}

/* From Python 3.12 on the interpreter asks for the next value instead of sending. */
static PyObject *
wind_next(PyObject *self)
{
    PyObject *result, *stop;

    if (wind_send(self, Py_None, &result) == PYGEN_NEXT)
        return result;
    stop = PyObject_CallOneArg(PyExc_StopIteration, result);
    if (stop)
        PyErr_SetObject(PyExc_StopIteration, stop);
    Py_XDECREF(stop);
    Py_DECREF(result);
    return NULL;
}

static PyType_Slot wind_slots[] = {
    {Py_tp_dealloc, wind_dealloc},   {Py_am_await, wind_await},    {Py_am_send, wind_send},
    {Py_tp_iter, PyObject_SelfIter}, {Py_tp_iternext, wind_next}, {0, NULL},
};

static PyType_Spec wind_spec = {
    .name = "unavoidable.Wind",
    .basicsize = sizeof(struct thing),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = wind_slots,
};

static PyObject *
child_fop(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    return take(&spare_winds, wind_type);
}

static PyMethodDef child_methods[] = {
    {"fop", _PyCFunction_CAST(child_fop), METH_FASTCALL | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot child_slots[] = {{Py_tp_methods, child_methods}, {0, NULL}};

static PyType_Spec child_spec = {
    .name = "unavoidable.Child",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = child_slots,
};

/* The callback of a child that answers at once: through a pointer, as GlusterFS has them. */
static void
answer(PyObject *wind, PyObject *reply)
{
    ((struct thing *)wind)->reply = reply;
}

static void (*volatile child)(PyObject *wind, PyObject *reply) = answer;

static PyThreadState *tstate;
static PyObject *method;
static bool awaits;
static Py_ssize_t narguments; /* the frame among them */

static void
drive(PyObject *coroutine)
{
    PyObject *wind, *result, *reply;

    if (PyIter_Send(coroutine, Py_None, &wind) != PYGEN_NEXT)
        abort();
    reply = take(&spare_arguments, argument_type);
    PyEval_SaveThread();
    child(wind, reply);
    PyEval_RestoreThread(tstate);
    if (PyIter_Send(coroutine, Py_None, &result) != PYGEN_RETURN || result != reply)
        abort();
    Py_DECREF(wind);
    Py_DECREF(result);
}

static void
one_fop(void)
{
    PyObject *args[1 + MOST_ARGUMENTS], *result; /* the first is for PY_VECTORCALL_ARGUMENTS_OFFSET */

    PyEval_RestoreThread(tstate);
    for (Py_ssize_t i = 1; i <= narguments; i++)
        args[i] = take(&spare_arguments, argument_type);
    result = PyObject_Vectorcall(method, args + 1, (size_t)narguments | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (!result)
        abort();
    if (awaits)
        drive(result);
    Py_DECREF(result);
    for (Py_ssize_t i = 1; i <= narguments; i++)
        Py_DECREF(args[i]);
    PyEval_SaveThread();
}

static uint64_t
now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Called before and after what is measured: instructions are counted from one call to the next (instructions.py). callgrind
 * notices when a function begins, but not for sure when it ends, where it calls what goes to another stack. */
__attribute__((noinline, noclone, used)) void
bench_mark(void)
{
    __asm__ volatile("");
}

static void
measure(uint64_t count)
{
    uint64_t wall, cpu;

    wall = now(CLOCK_MONOTONIC);
    cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    bench_mark();
    for (uint64_t i = 0; i < count; i++)
        one_fop();
    bench_mark();
    wall = now(CLOCK_MONOTONIC) - wall;
    cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("%ju %ju\n", (uintmax_t)wall, (uintmax_t)cpu);
}

/* A translator as an author writes it: a method whose arguments have names, and what it awaits is self.child's. */
static const char source[] =
    "class Translator:\n"
    "    def __init__(self):\n"
    "        self.child = child\n"
    "names = ', '.join(f'argument{i}' for i in range(narguments - 1))\n"
    "exec(f'async def fop(self, frame, {names}): return await self.child.fop({names})' if awaits else\n"
    "     f'def fop(self, frame, {names}): return None', methods := {})\n"
    "Translator.fop = methods['fop']\n"
    "method = Translator().fop\n";

static int
make_method(void)
{
    PyObject *type, *names, *done;

    argument_type = (PyTypeObject *)PyType_FromSpec(&argument_spec);
    wind_type = (PyTypeObject *)PyType_FromSpec(&wind_spec);
    type = PyType_FromSpec(&child_spec);
    if (!argument_type || !wind_type || !type)
        return -1;
    names = Py_BuildValue("{s:N,s:n,s:O,s:O}", "child", PyObject_CallNoArgs(type), "narguments", narguments, "awaits",
                          awaits ? Py_True : Py_False, "__builtins__", PyEval_GetBuiltins());
    done = names ? PyRun_String(source, Py_file_input, names, names) : NULL;
    if (!done)
        return -1;
    method = Py_NewRef(PyDict_GetItemString(names, "method"));
    return 0;
}

static int
start_python(void)
{
    PyConfig config;
    PyStatus status;

    PyConfig_InitIsolatedConfig(&config);
    status = PyConfig_SetBytesString(&config, &config.program_name, PYTHON);
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    return PyStatus_Exception(status) ? -1 : 0;
}

int
main(int argc, char **argv)
{
    awaits = argc > 1 && strcmp(argv[1], "await") == 0;
    narguments = argc > 2 ? 1 + atol(argv[2]) : 0;
    if (argc < 4 || (!awaits && strcmp(argv[1], "plain") != 0) || narguments < 1 || narguments > MOST_ARGUMENTS) {
        fprintf(stderr, "usage: %s plain|await ARGUMENTS COUNT...\n", argv[0]);
        return 2;
    }
    if (start_python() != 0 || make_method() != 0) {
        PyErr_Print();
        return 1;
    }
    tstate = PyEval_SaveThread();
    for (unsigned i = 0; i < WARM_UP; i++)
        one_fop();
    for (int i = 3; i < argc; i++)
        measure(strtoull(argv[i], NULL, 10));
    return 0;
}
