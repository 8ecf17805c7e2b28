/* The extension module glupy._core. */
#include "base/compat.h"
#include "classic/classic.h"
#include "classic/classic_known.h"
#include "core_api.h"
#include "instance/context.h"
#include "instance/shared.h"
#include "lifecycle/events.h"
#include "lifecycle/instance_type.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/log_method.h"
#include "lifecycle/reconfigure.h"
#include "lifecycle/stopping.h"
#include "lifecycle/table.h"
#include "observe/log.h"
#include "observe/watch.h"
#include "python/forked.h"
#include "python/held_clock.h"
#include "python/main_thread.h"
#include "python/overflow.h"
#include "python/worker.h"
#include "report/sight.h"
#include "request/awaitable.h"
#include "request/call.h"
#include "request/child.h"
#include "request/frame.h"
#include "request/flag.h"
#include "request/future.h"
#include "request/gather.h"
#include "request/limit.h"
#include "request/mutex.h"
#include "request/native.h"
#include "request/offload.h"
#include "request/promise.h"
#include "request/semaphore.h"
#include "request/sleep.h"
#include "request/spawned.h"
#include "request/subject.h"
#include "request/to_thread.h"
#include "request/turns.h"
#include "request/wind.h"
#include "standalone.h"
#include "tools/cache.h"
#include "tools/sha256.h"
#include "values/drops_queue.h"
#include "values/reply.h"
#include "values/types/types.h"

/* What rooms do for those below them, who do not know them: named here, where all rooms are known. */

static void
thread_ended(struct glupy_thread *thread)
{
    glupy_place_free_stack(thread);
    glupy_drops_forget(thread);
    glupy_request_free_spares(thread);
}

static const struct glupy_thread_duties thread_duties = {
    .begun = glupy_watch_thread,
    .leaving = glupy_log_half_lines,
    .left = glupy_drops_release,
    .ending = glupy_watch_forget_thread,
    .ended = thread_ended,
};

static const struct glupy_flavour *const flavours[] = {&glupy_native, &glupy_classic_flavour, NULL};

static void
introduce(struct glupy_state *state)
{
    glupy_threads_owe(&thread_duties);
    glupy_table_cover(&glupy_sight_cover);
    state->flavours = flavours;
    state->contexts = &glupy_context_keeper;
    state->inode_lock = glupy_inode_lock;
}

static const struct glupy_core_api api = {
    .version = GLUPY_CORE_API_VERSION,
    .gluster_version = GLUPY_GLUSTER_VERSION,
    .serve = glupy_main_serve,
    .init = glupy_init,
    .fini = glupy_fini,
    .notify = glupy_notify,
    .dump_private = glupy_sight_dump_private,
    .dump_metrics = glupy_sight_dump_metrics,
    .reconfigure = glupy_reconfigure,
};

static PyObject *
python_going(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    Py_BEGIN_ALLOW_THREADS
    glupy_stop_all();
    Py_END_ALLOW_THREADS
    glupy_python_going();
    Py_RETURN_NONE;
}

static PyObject *
interpreters(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyLong_FromUnsignedLong(glupy_interpreters_made());
}

static PyObject *
workers_busy(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyBool_FromLong(glupy_worker_busy());
}

static PyMethodDef methods[] = {
    {"gather", _PyCFunction_CAST(glupy_gather_method), METH_VARARGS | METH_KEYWORDS,
     "gather(*awaitables, return_exceptions=False)\n--\n\n"
     "Begin all of them at once (winds, coroutines, futures) and wait for all. The tuple of their results; the first\n"
     "exception in the order given is raised once all have ended, or stands in the tuple with return_exceptions."},
    {"fail", _PyCFunction_CAST(glupy_fail_method), METH_FASTCALL | METH_KEYWORDS,
     "fail(errno, xdata=None)\n--\n\n"
     "What a fop method returns to fail with this errno (1 to 511), and with xdata (a mapping) for the callers above. The same\n"
     "as raising OSError, at a fraction of the cost. TypeError, ValueError."},
    {"sleep", glupy_sleep_method, METH_O,
     "sleep(seconds, /)\n--\n\nAwaited: go on that much later, without holding a thread. ValueError below 0."},
    {"timeout", glupy_timeout_method, METH_O,
     "timeout(seconds, /)\n--\n\n"
     "`async with timeout(seconds) as limit:` what is awaited in it is given up when so many seconds are over, and TimeoutError\n"
     "raised there: OSError(ETIMEDOUT) to the application, where nobody catches it. limit.expired says whether it was. A wind\n"
     "that is given up goes on below, and its reply is dropped; so is that of a function of to_thread(). None: no limit.\n"
     "ValueError below 0."},
    {"_request", glupy_request_method, METH_NOARGS,
     "_request()\n--\n\n"
     "Whose code runs on this thread: Instance, name of the fop, path, GlusterFS's number of the call; the latter three None in\n"
     "a background task. RuntimeError outside of both."},
    {"_pause", glupy_pause_method, METH_O,
     "_pause(seconds, /)\n--\n\nsleep() by the real clock, also where a test holds the time."},
    {"_clock_hold", glupy_held_clock_hold_method, METH_NOARGS,
     "_clock_hold()\n--\n\nFrom now on sleeps go by a time that stands still until it is moved."},
    {"_clock_release", glupy_held_clock_release_method, METH_NOARGS,
     "_clock_release()\n--\n\nUndo one _clock_hold(): with the last, new sleeps go by the clock again."},
    {"_clock_now", glupy_held_clock_now_method, METH_NOARGS, "_clock_now()\n--\n\nThe time that is held, in nanoseconds."},
    {"_clock_due", glupy_held_clock_due_method, METH_NOARGS,
     "_clock_due()\n--\n\nWhen the sleeps that wait are over, in nanoseconds of _clock_now(), sorted."},
    {"_clock_move", glupy_held_clock_move_method, METH_O,
     "_clock_move(until, /)\n--\n\n"
     "Move the time to the next end of a sleep, at most to `until` (nanoseconds). Whether any sleep is over by that."},
    {"_workers_busy", workers_busy, METH_NOARGS,
     "_workers_busy()\n--\n\nWhether threads of glupy's have something to do now."},
    {"to_thread", _PyCFunction_CAST(glupy_to_thread_method), METH_VARARGS | METH_KEYWORDS,
     "to_thread(function, /, *args, **kwargs)\n--\n\n"
     "Awaited: what the function returns or raises, called on a thread of glupy's own. For everything that blocks."},
    {"wait", glupy_wait_method, METH_O,
     "wait(awaitable, /)\n--\n\n"
     "The value of a wind, gather, Future or coroutine, or its exception raised: the calling thread blocks until then. For\n"
     "methods with @glupy.offload, which have a thread to themselves; RuntimeError elsewhere: await there."},
    {"log", glupy_log_method, METH_VARARGS,
     "log(level, name, file, line, function, message, /)\n--\n\n"
     "An entry in GlusterFS's log; level is a gf_loglevel_t (logging.h). Nothing where there is no log."},
    {"log_level", glupy_log_level_method, METH_NOARGS,
     "log_level()\n--\n\n"
     "The gf_loglevel_t up to which entries of this thread are written now: that of the translator it works for, else\n"
     "the process's."},
    {"log_file", glupy_log_file_method, METH_NOARGS,
     "log_file()\n--\n\n"
     "The name of the file that GlusterFS's log is, as it was told; None where it is none."},
    {"_sha256", glupy_sha256_method, METH_O,
     "_sha256(data, /)\n--\n\nThe 32 bytes of SHA-256 of an object's bytes, by GlusterFS's function: hashlib would bring two\n"
     "megabytes along."},
    {"_log_method", glupy_log_method_new, METH_VARARGS, "A method of a translator's logger: see glupy/logs/loggers.py."},
    {"_half_line", glupy_half_line_method, METH_NOARGS,
     "_half_line()\n--\n\nThis thread has printed half a line: streams.flush_half_lines() when it leaves Python."},
    {"_shared_get", glupy_shared_get_method, METH_VARARGS,
     "_shared_get(namespace, name, /)\n--\n\nThe bytes that all interpreters know by that name, or None."},
    {"_shared_swap", glupy_shared_swap_method, METH_VARARGS,
     "_shared_swap(namespace, name, old, new, /)\n--\n\n"
     "Put new there (bytes; None: nothing) if old is there (the same; ...: whatever is): whether that was so."},
    {"_shared_keys", glupy_shared_keys_method, METH_O,
     "_shared_keys(namespace, /)\n--\n\nThe names that have a value: a list of str."},
    {"_classic_setup", glupy_classic_setup_method, METH_VARARGS, "The pointer types of gluster.glupy."},
    {"_classic_calls", glupy_classic_calls_method, METH_NOARGS, "Addresses of what gluster.glupy's dl calls, by name."},
    {"_classic_call", glupy_classic_call_method, METH_VARARGS, "A function of gluster.glupy's dl."},
    {"_classic_library", glupy_classic_library_method, METH_O, "gluster.glupy's dl, around a CDLL."},
    {"_classic_frame", glupy_classic_frame_method, METH_O, "The frame, if its request lives and it is no copy."},
    {"_classic_known", glupy_classic_known_method, METH_VARARGS, "Is what stands at an address what a pointer says?"},
    {"_classic_free_dirent", glupy_classic_free_dirent_method, METH_O, "Free an entry of a directory."},
    {"_classic_free_dirents", glupy_classic_free_dirents_method, METH_O, "Free all entries of a list."},
    {"_classic_slot", glupy_classic_slot_method, METH_VARARGS, "Does an inode have a context for a translator?"},
    {"_classic_this", glupy_classic_this_method, METH_O, "The address of an Instance's xlator_t."},
    {"_with_mask", glupy_with_mask_method, METH_VARARGS,
     "_with_mask(signals, function, /, *args)\n--\n\n"
     "Call a function that starts a process, which blocks these signals and no others."},
    {"_forked", glupy_forked_method, METH_VARARGS,
     "_forked(blocked, handled, /)\n--\n\n"
     "This is a child of os.fork(): let go of what is GlusterFS's. It blocks these signals and no others; those that are\n"
     "handled by Python code go on being so."},
    {"_interpreters", interpreters, METH_NOARGS, "_interpreters()\n--\n\nHow many interpreters of glupy's there are in this process."},
    {"_python_going", python_going, METH_NOARGS, "Python is about to be finalised: let no thread in any more."},
    {NULL, NULL, 0, NULL},
};

/* Names for annotations: what a fop's Loc has differs for type checkers alone. */
static int
add_locs(PyObject *module, struct glupy_state *state)
{
    static const char *const names[] = {"InodeLoc", "EntryLoc", "TargetLoc"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (PyModule_AddObjectRef(module, names[i], (PyObject *)state->loc_type) != 0)
            return -1;
    return 0;
}

/* fop name -> names of its arguments in Python, the table as authors and tools need it. */
static int
add_fops(PyObject *module)
{
    PyObject *fops = PyDict_New();

    for (unsigned i = 0; fops && i < GLUPY_FOP_COUNT; i++) {
        PyObject *names = PyTuple_New(glupy_fops[i].nargs);

        for (unsigned k = 0; names && k < glupy_fops[i].nargs; k++) {
            PyObject *name = PyUnicode_InternFromString(glupy_fops[i].args[k].name);

            if (name)
                PyTuple_SET_ITEM(names, k, name);
            else
                Py_CLEAR(names);
        }
        if (!names || PyDict_SetItemString(fops, glupy_fops[i].name, names) != 0)
            Py_CLEAR(fops);
        Py_XDECREF(names);
    }
    return PyModule_Add(module, "FOPS", fops);
}

static int
add_capsule(PyObject *module)
{
    return PyModule_Add(module, "_loader_api", PyCapsule_New((void *)&api, GLUPY_CORE_CAPSULE, NULL));
}

static int
add_strings(struct glupy_state *state)
{
    state->str_xdata = PyUnicode_InternFromString("xdata");
    state->str_reply = PyUnicode_InternFromString("reply");
    state->str_errno = PyUnicode_InternFromString("errno");
    state->str_cr_await = PyUnicode_InternFromString("cr_await");
    state->str_cr_frame = PyUnicode_InternFromString("cr_frame");
    return state->str_xdata && state->str_reply && state->str_errno && state->str_cr_await && state->str_cr_frame ? 0 : -1;
}

static int
setup_types(struct glupy_state *state)
{
    int (*const setups[])(struct glupy_state *) = {
        glupy_gfid_setup,   glupy_iatt_setup,  glupy_mdata_setup,  glupy_inode_setup,  glupy_fd_setup,     glupy_loc_setup,
        glupy_xdata_setup,  glupy_buffer_setup, glupy_statvfs_setup, glupy_lk_owner_setup, glupy_flock_setup,
        glupy_lease_setup,  glupy_dirents_setup, glupy_locklist_setup, glupy_frame_setup, glupy_awaitable_setup,
        glupy_reply_setup,  glupy_wind_setup,  glupy_gather_setup, glupy_future_setup, glupy_child_setup,
        glupy_failure_setup, glupy_cache_setup, glupy_turns_setup, glupy_mutex_setup, glupy_semaphore_setup, glupy_flag_setup,
        glupy_limit_setup,
        glupy_promise_setup, glupy_sleep_setup, glupy_to_thread_setup,
        glupy_instance_setup, glupy_log_method_setup, glupy_version_setup, glupy_call_setup, glupy_spawned_setup, glupy_classic_call_setup,
    };

    for (unsigned i = 0; i < sizeof(setups) / sizeof(setups[0]); i++)
        if (setups[i](state) != 0)
            return -1;
    return 0;
}

static int
exec(PyObject *module)
{
    struct glupy_state *state = PyModule_GetState(module);

    glupy_state_begins();
    state->module = module;
    INIT_LIST_HEAD(&state->holders);
    INIT_LIST_HEAD(&state->endings);
    introduce(state);
    if (glupy_standalone() != 0) {
        PyErr_SetString(PyExc_ImportError, "glupy._core: libglusterfs could not be set up");
        return -1;
    }
    if (setup_types(state) != 0 || add_strings(state) != 0 || add_locs(module, state) != 0 || add_fops(module) != 0 || glupy_add_events(module) != 0 ||
        add_capsule(module) != 0 ||
        PyModule_AddIntConstant(module, "GLUSTER_SERIES", GF_GLUSTER_SERIES) != 0 ||
        PyModule_AddStringConstant(module, "GLUSTER_VERSION", GLUPY_GLUSTER_VERSION) != 0)
        return -1;
    glupy_interpreter_register(state);
    glupy_state_ready(state);
    return 0;
}

static int
traverse(PyObject *module, visitproc visit, void *arg)
{
    struct glupy_state *state = PyModule_GetState(module);

    Py_VISIT(state->runtime);
    return 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, exec},
#if PY_VERSION_HEX >= 0x030c0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030d0000
    /* Requests, their argument objects and the spares are guarded by it: a free-threaded Python is to switch it on. */
    {Py_mod_gil, Py_MOD_GIL_USED},
#endif
    {0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "glupy._core",
    .m_doc = "GlusterFS's operations and types in Python; see the package glupy.",
    .m_size = sizeof(struct glupy_state),
    .m_methods = methods,
    .m_slots = slots,
    .m_traverse = traverse,
};

PyMODINIT_FUNC
PyInit__core(void)
{
    return PyModuleDef_Init(&definition);
}
