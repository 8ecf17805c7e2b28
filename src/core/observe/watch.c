/* Watching for steps of Python that run for long. See watch.h.
 *
 * The lock keeps threads and instances in place while they are looked at. It may be taken with the interpreter attached
 * and is never held while attaching. An instance is looked into only while it is in the list.
 *
 * The stack takes the interpreter, which may not be had: code in C that keeps it is what is worst. So a thread that may
 * block fetches the stack, and where it does not come, the clock's thread says as much as it knows. */
#include "observe/watch.h"

#include "base/compat.h"
#include "python/clock.h"
#include "python/worker.h"

#define LOOKS 4                   /* in a budget's time */
#define OFTEN UINT64_C(10000000)  /* not more often than every 10 ms */
#define STACK_IN UINT64_C(1000000000) /* the stack comes within this time, or not at all */
#define SECONDS(nanoseconds) ((double)(nanoseconds) / 1e9)

static struct {
    pthread_mutex_t lock;
    struct list_head threads; /* glupy_thread.seen.link */
    struct list_head watched; /* glupy_watch.link: instances */
    struct glupy_alarm alarm;
    bool looking;             /* it is set */
} all = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .threads = {&all.threads, &all.threads},
    .watched = {&all.watched, &all.watched},
};

/* A step that is over its budget. Belongs to the watch until the step has ended, and to the job until it has run. */
struct glupy_overdue {
    struct glupy_job job; /* first: fetches the stack */
    struct glupy_watch *who; /* only to be compared */
    struct glupy_thread *thread;
    uint64_t step, since, told;
    uint64_t budget;
    unsigned interpreter;
    const char *doing;
    char *name;
    char thread_name[16];
    atomic_uint owners;
    atomic_bool said;
};

static void
release(struct glupy_overdue *report)
{
    if (atomic_fetch_sub(&report->owners, 1) == 1) {
        free(report->name);
        free(report);
    }
}

static bool
is_known(struct glupy_watch *who)
{
    struct glupy_watch *known;

    list_for_each_entry(known, &all.watched, link)
    {
        if (known == who)
            return true;
    }
    return false;
}

/* An entry about a step, without the interpreter. The graph's context decides where to, as long as the graph is there.
 * With the lock held. */
#define SAY(report, format, ...)                                                                                     \
    do {                                                                                                             \
        xlator_t *old_this_ = THIS;                                                                                  \
        if (is_known((report)->who))                                                                                 \
            THIS = (report)->who->this;                                                                              \
        _gf_msg((report)->name, "glupy", (report)->doing, 0, GF_LOG_WARNING, 0, 0, 0, format, __VA_ARGS__);          \
        THIS = old_this_;                                                                                            \
    } while (0)

#define RUNS "%s has been running for %.1f s without an await (budget %g s), on thread %s"

static bool
runs_still(struct glupy_overdue *report)
{
    struct glupy_thread *thread;

    list_for_each_entry(thread, &all.threads, seen.link)
    {
        if (thread == report->thread)
            return atomic_load_explicit(&thread->step, memory_order_acquire) == report->step &&
                   atomic_load_explicit(&thread->watched.who, memory_order_acquire) == report->who;
    }
    return false;
}

/* Attached to its interpreter, where it cannot go on meanwhile. sys._current_frames() would look into all interpreters, and
 * the others are running. A collection could let the thread go on. */
static PyObject *
frame_of(PyThreadState *tstate)
{
    int collects = PyGC_Disable();
    PyObject *frame = (PyObject *)PyThreadState_GetFrame(tstate);

    if (collects)
        PyGC_Enable();
    return frame;
}

PyObject *
glupy_watch_stack(struct glupy_thread *thread, unsigned interpreter, PyObject *about)
{
    PyObject *frame = frame_of(thread->tstates[interpreter]), *text;

    text = PyObject_CallMethod(glupy_interpreter_state(interpreter)->runtime, "stack", "OO", frame ? frame : Py_None, about);
    Py_XDECREF(frame);
    return text;
}

PyObject *
glupy_watch_frames(struct glupy_watch *who)
{
    PyObject *frames = PyList_New(0), *frame;
    struct glupy_thread *thread;
    int status = frames ? 0 : -1;

    pthread_mutex_lock(&all.lock);
    list_for_each_entry(thread, &all.threads, seen.link)
    {
        if (status || atomic_load_explicit(&thread->watched.who, memory_order_acquire) != who)
            continue;
        frame = frame_of(thread->tstates[who->interpreter]);
        if (frame)
            status = PyList_Append(frames, frame);
        Py_XDECREF(frame);
    }
    pthread_mutex_unlock(&all.lock);
    if (status)
        Py_CLEAR(frames);
    return frames;
}

/* Attached, hence while the step cannot end: what it is about, as text for the log. NULL when it has ended. */
static PyObject *
stack_of(struct glupy_overdue *report)
{
    PyObject *(*about)(struct glupy_request *) = NULL;
    struct glupy_request *request = NULL;
    PyObject *path, *text = NULL;
    bool runs;

    pthread_mutex_lock(&all.lock);
    runs = runs_still(report);
    if (runs)
        request = report->thread->stepping;
    if (is_known(report->who))
        about = report->who->about;
    pthread_mutex_unlock(&all.lock);
    if (!runs)
        return NULL;
    path = request && about ? about(request) : Py_NewRef(Py_None);
    if (path)
        text = glupy_watch_stack(report->thread, report->interpreter, path);
    Py_XDECREF(path);
    PyErr_Clear();
    return text;
}

static void
say_with_stack(struct glupy_overdue *report)
{
    PyObject *text = stack_of(report);
    const char *shown = text ? PyUnicode_AsUTF8(text) : NULL;

    PyErr_Clear();
    if (shown && !atomic_exchange(&report->said, true)) {
        Py_BEGIN_ALLOW_THREADS
        pthread_mutex_lock(&all.lock);
        SAY(report, RUNS "%s", report->doing, SECONDS(glupy_now() - report->since), SECONDS(report->budget),
            report->thread_name, shown);
        pthread_mutex_unlock(&all.lock);
        Py_END_ALLOW_THREADS
    }
    Py_XDECREF(text);
}

static void
fetch_stack(struct glupy_job *job)
{
    struct glupy_overdue *report = (struct glupy_overdue *)job;
    struct glupy_thread *thread = glupy_thread();

    if (thread) {
        glupy_enter(thread, report->interpreter);
        say_with_stack(report);
        glupy_leave(thread);
    }
    release(report);
}

static void
report_step(struct glupy_thread *thread, struct glupy_watch *who, uint64_t budget, uint64_t now)
{
    struct glupy_overdue *report = calloc(1, sizeof(*report));

    if (!report || !(report->name = strdup(who->this->name))) {
        free(report);
        return;
    }
    report->job.run = fetch_stack;
    report->who = who;
    report->thread = thread;
    report->step = thread->seen.step;
    report->since = thread->seen.since;
    report->told = now;
    report->budget = budget;
    report->interpreter = who->interpreter;
    report->doing = atomic_load_explicit(&thread->watched.doing, memory_order_relaxed);
    pthread_getname_np(thread->seen.thread, report->thread_name, sizeof(report->thread_name));
    atomic_init(&report->owners, 2);
    thread->seen.report = report;
    glupy_worker_submit_blocking(&report->job);
}

/* Steps that have ended, or whose stack does not come. */
static void
follow_up(struct glupy_thread *thread, uint64_t step, uint64_t now)
{
    struct glupy_overdue *report = thread->seen.report;

    if (step != report->step) {
        if (atomic_exchange(&report->said, true))
            SAY(report, "%s went on after %.1f s", report->doing, SECONDS(now - report->since));
        else
            SAY(report, "%s was running for %.1f s without an await (budget %g s), on thread %s", report->doing,
                SECONDS(now - report->since), SECONDS(report->budget), report->thread_name);
        thread->seen.report = NULL;
        release(report);
    } else if (now - report->told > STACK_IN && !atomic_exchange(&report->said, true)) {
        SAY(report, RUNS "; where is not known, since something keeps Python's interpreter from all other threads",
            report->doing, SECONDS(now - report->since), SECONDS(report->budget), report->thread_name);
    }
}

static void
look_at(struct glupy_thread *thread, uint64_t now)
{
    struct glupy_watch *who = atomic_load_explicit(&thread->watched.who, memory_order_acquire);
    uint64_t step = atomic_load_explicit(&thread->step, memory_order_acquire), budget;

    if (thread->seen.report)
        follow_up(thread, step, now);
    if (step != thread->seen.step) {
        thread->seen.step = step;
        thread->seen.since = now;
        return;
    }
    if (!who || thread->seen.report || !is_known(who))
        return;
    budget = atomic_load_explicit(&who->budget, memory_order_relaxed);
    if (budget && now - thread->seen.since >= budget)
        report_step(thread, who, budget, now);
}

/* The shortest budget in force, 0 where there is none. */
static uint64_t
shortest(void)
{
    struct glupy_watch *known;
    uint64_t least = 0;

    list_for_each_entry(known, &all.watched, link)
    {
        uint64_t budget = atomic_load_explicit(&known->budget, memory_order_relaxed);

        if (budget && (!least || budget < least))
            least = budget;
    }
    return least;
}

static void look(struct glupy_alarm *alarm);

/* With the lock held: look again in time for the shortest budget. */
static void
look_again(void)
{
    uint64_t least = shortest(), wait = least / LOOKS;

    all.alarm.ring = look;
    all.looking = least && glupy_clock_set(&all.alarm, glupy_now() + (wait > OFTEN ? wait : OFTEN));
}

static void
look(struct glupy_alarm *alarm)
{
    struct glupy_thread *thread;
    uint64_t now = glupy_now();

    (void)alarm;
    pthread_mutex_lock(&all.lock);
    list_for_each_entry(thread, &all.threads, seen.link)
    {
        look_at(thread, now);
    }
    look_again();
    pthread_mutex_unlock(&all.lock);
}

void
glupy_watch_thread(struct glupy_thread *thread)
{
    thread->seen.thread = pthread_self();
    pthread_mutex_lock(&all.lock);
    list_add_tail(&thread->seen.link, &all.threads);
    pthread_mutex_unlock(&all.lock);
}

void
glupy_watch_forget_thread(struct glupy_thread *thread)
{
    pthread_mutex_lock(&all.lock);
    list_del_init(&thread->seen.link);
    if (thread->seen.report)
        release(thread->seen.report);
    pthread_mutex_unlock(&all.lock);
}

void
glupy_watch_begins(struct glupy_watch *watch)
{
    pthread_mutex_lock(&all.lock);
    list_add_tail(&watch->link, &all.watched);
    pthread_mutex_unlock(&all.lock);
}

void
glupy_watch_forget(struct glupy_watch *watch)
{
    pthread_mutex_lock(&all.lock);
    list_del_init(&watch->link);
    pthread_mutex_unlock(&all.lock);
}

void
glupy_watch_budget(struct glupy_watch *watch, uint64_t budget)
{
    atomic_store_explicit(&watch->budget, budget, memory_order_relaxed);
    pthread_mutex_lock(&all.lock);
    if (budget && !all.looking)
        look_again();
    pthread_mutex_unlock(&all.lock);
}
