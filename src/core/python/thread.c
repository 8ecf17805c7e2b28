/* Entering and leaving the interpreter: one cached thread state per thread. See thread.h. */
#include "python/thread.h"

#include "python/forked.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "python/gate.h"
#include "python/overflow.h"

/* Read by a signal handler as well, where no memory may be allocated for it. The model is for libraries that are there when a
 * program starts. In one that comes later it takes of what glibc keeps free for such (512 bytes, rtld.optional_static_tls),
 * and the library does not load where that is used up: a pointer is well, anything of size would not be. In return there is
 * no call of the loader at each use. */
static _Thread_local struct glupy_thread *current __attribute__((tls_model("initial-exec")));
static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static atomic_bool gone;
static const struct glupy_thread_duties *duties;
static struct {
    pthread_mutex_t lock;
    struct list_head list;
} threads = {.lock = PTHREAD_MUTEX_INITIALIZER, .list = {&threads.list, &threads.list}};

void
glupy_threads_owe(const struct glupy_thread_duties *to_do)
{
    duties = to_do;
}

bool
glupy_python_gone(void)
{
    return atomic_load_explicit(&gone, memory_order_acquire);
}

static void
give_back(PyThreadState *tstate)
{
    PyEval_RestoreThread(tstate);
    PyThreadState_Clear(tstate);
    PyThreadState_DeleteCurrent();
}

/* Python finalises its main interpreter while threads are about, and stops each that wants in. The other ones it ends by
 * deleting what it finds, and aborts where that is more than one state. So all threads have left them before, and none
 * gets in afterwards: who wants in says so first and looks then; who ends them does it the other way round. */
bool
glupy_stay_begin(struct glupy_thread *thread)
{
    atomic_fetch_add(&thread->stays, 1);
    if (!atomic_load(&gone))
        return true;
    atomic_fetch_sub(&thread->stays, 1);
    return false;
}

void
glupy_stay_end(struct glupy_thread *thread)
{
    atomic_fetch_sub(&thread->stays, 1);
}

/* False when glupy_python_going() does it instead. What dies here is given up as by a thread that is not ours. */
static bool
give_back_others(struct glupy_thread *thread)
{
    bool other = false;

    pthread_mutex_lock(&threads.lock); /* which glupy_python_going() has while it deletes them */
    for (unsigned i = 1; i < GLUPY_MAX_INTERPRETERS; i++)
        other = other || thread->tstates[i];
    pthread_mutex_unlock(&threads.lock);
    if (!other)
        return true;
    if (!glupy_stay_begin(thread))
        return false;
    for (unsigned i = GLUPY_MAX_INTERPRETERS; i-- > 1;) {
        if (thread->tstates[i])
            give_back(thread->tstates[i]);
        thread->tstates[i] = NULL;
    }
    glupy_stay_end(thread);
    return true;
}

/* The thread ends: give its states back. While the process exits or Python is finalised by its host, attaching would
 * hang or kill the thread; the main interpreter's state is then left to the end of the process. */
static void
thread_end(void *arg)
{
    struct glupy_thread *thread = arg;

    duties->ending(thread);
    if (!give_back_others(thread))
        return;
    if (thread->ours && !glupy_python_gone())
        give_back(thread->tstates[0]);
    current = NULL;
    pthread_mutex_lock(&threads.lock);
    list_del(&thread->link);
    pthread_mutex_unlock(&threads.lock);
    glupy_overflow_forget(thread);
    duties->ended(thread);
    free(thread);
}

static void
make_key(void)
{
    pthread_key_create(&key, thread_end);
}

static void
find_stack(struct glupy_thread *thread)
{
    pthread_attr_t attr;
    void *low = NULL;
    size_t size = 0;

    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstack(&attr, &low, &size);
        pthread_attr_destroy(&attr);
    }
    thread->stack_low = low;
    thread->stack_high = (char *)low + size;
}

/* A state for this thread in the main interpreter, detached. One that a Python program's own thread has already is used,
 * and left to it. A thread that an author's code has started in another interpreter has one of that, and gets a second. */
static void
make_tstate(struct glupy_thread *thread)
{
    PyThreadState *present = PyGILState_GetThisThreadState();

    if (present && PyThreadState_GetInterpreter(present) != PyInterpreterState_Main()) {
        thread->ours = true;
        thread->tstates[0] = glupy_interpreter_new_thread_state(0);
        return;
    }
    thread->ours = !present;
    PyGILState_Ensure();
    thread->tstates[0] = PyEval_SaveThread();
}

static void
enlist(struct glupy_thread *thread)
{
    thread->tid = (pid_t)syscall(SYS_gettid);
    thread->works_for = __glusterfs_this_location();
    pthread_mutex_lock(&threads.lock);
    list_add_tail(&thread->link, &threads.list);
    pthread_mutex_unlock(&threads.lock);
}

void
glupy_threads_each(void (*fn)(struct glupy_thread *thread, void *arg), void *arg)
{
    struct glupy_thread *thread;

    pthread_mutex_lock(&threads.lock);
    list_for_each_entry(thread, &threads.list, link) fn(thread, arg);
    pthread_mutex_unlock(&threads.lock);
}

static void
forsake(struct glupy_thread *thread, void *gone)
{
    xlator_t *expected = gone;

    __atomic_compare_exchange_n(thread->works_for, &expected, NULL, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void
glupy_threads_forsake(xlator_t *gone)
{
    glupy_threads_each(forsake, gone);
}

struct glupy_thread *
glupy_thread_if_any(void)
{
    return current;
}

__attribute__((noinline)) xlator_t **
glupy_this_place(void)
{
    struct glupy_thread *thread = *(struct glupy_thread *volatile *)&current;

    if (thread && *thread->works_for)
        return thread->works_for;
    return __glusterfs_this_location(); /* which puts the process's own in the place of NULL */
}

struct glupy_thread *
glupy_thread(void)
{
    struct glupy_thread *thread = current;

    if (thread)
        return thread;
    if (glupy_python_gone())
        return NULL;
    thread = calloc(1, sizeof(*thread));
    if (!thread)
        return NULL;
    find_stack(thread);
    glupy_overflow_prepare(thread);
    make_tstate(thread);
    pthread_once(&key_once, make_key);
    pthread_setspecific(key, thread);
    enlist(thread);
    duties->begun(thread);
    current = thread;
    return thread;
}

/* Attached to that interpreter by a state of the calling thread's own. */
static void
delete_states(const struct glupy_thread *self, unsigned interpreter)
{
    struct glupy_thread *thread;

    pthread_mutex_lock(&threads.lock);
    list_for_each_entry(thread, &threads.list, link)
    {
        if (thread == self || !thread->tstates[interpreter])
            continue;
        PyThreadState_Clear(thread->tstates[interpreter]);
        PyThreadState_Delete(thread->tstates[interpreter]);
        thread->tstates[interpreter] = NULL;
    }
    pthread_mutex_unlock(&threads.lock);
}

static void
leave_interpreter(struct glupy_thread *self, unsigned interpreter)
{
    if (!self->tstates[interpreter])
        self->tstates[interpreter] = glupy_interpreter_new_thread_state(interpreter);
    PyEval_RestoreThread(self->tstates[interpreter]);
    delete_states(self, interpreter);
    PyEval_SaveThread();
    give_back(self->tstates[interpreter]);
    self->tstates[interpreter] = NULL;
}

static unsigned
count_stays(const struct glupy_thread *self)
{
    struct glupy_thread *thread;
    unsigned count = 0;

    pthread_mutex_lock(&threads.lock);
    list_for_each_entry(thread, &threads.list, link)
    {
        if (thread != self)
            count += atomic_load(&thread->stays);
    }
    pthread_mutex_unlock(&threads.lock);
    return count;
}

#define LOOK_EVERY 1000000u /* nanoseconds */
#define TELL_AFTER 10000u   /* looks */

/* As Python waits for threads of its own that are no daemons. It happens once in a process, at its end. */
static void
wait_for_stays(const struct glupy_thread *self)
{
    const struct timespec pause = {.tv_nsec = LOOK_EVERY};
    unsigned count;

    for (unsigned looks = 0; (count = count_stays(self)) != 0; looks++) {
        if (looks == TELL_AFTER)
            gf_msg("glupy", GF_LOG_WARNING, 0, 0,
                   "this program ends when %u threads have left Python code of translators with option interpreters", count);
        nanosleep(&pause, NULL);
    }
}

void
glupy_python_going(void)
{
    struct glupy_thread *self;

    Py_BEGIN_ALLOW_THREADS
    self = glupy_thread();
    atomic_store(&gone, true);
    wait_for_stays(self);
    for (unsigned i = glupy_interpreters_made(); self && i-- > 1;)
        leave_interpreter(self, i);
    Py_END_ALLOW_THREADS
}

/* Python is being finalised. Whoever called us can neither go on nor go back: it stays here, as Python has it from 3.14 on. */
static _Noreturn void
stop_here(void)
{
    for (;;)
        pause();
}

void
glupy_enter(struct glupy_thread *thread, unsigned interpreter)
{
    if (interpreter && !glupy_stay_begin(thread))
        stop_here();
    if (!thread->tstates[interpreter])
        thread->tstates[interpreter] = glupy_interpreter_new_thread_state(interpreter);
    PyEval_RestoreThread(thread->tstates[interpreter]);
    thread->inside++;
}

static void
detach(struct glupy_thread *thread)
{
    if (thread->half_line)
        duties->leaving(thread);
    if (__builtin_expect(glupy_in_child, false))
        glupy_child_came_back();
    thread->inside--;
    if (PyEval_SaveThread() != thread->tstates[0])
        glupy_stay_end(thread);
}

void
glupy_leave(struct glupy_thread *thread)
{
    detach(thread);
    if (thread->ndrops)
        duties->left(thread);
}

/* Who comes in once more from a call out into GlusterFS may hold the gate already. */
bool
glupy_enter_in_turn(struct glupy_thread *thread, unsigned interpreter)
{
    bool gate = !thread->inside && glupy_gate_enter(interpreter);

    glupy_enter(thread, interpreter);
    return gate;
}

void
glupy_leave_in_turn(struct glupy_thread *thread, unsigned interpreter, bool gate)
{
    detach(thread);
    if (gate)
        glupy_gate_leave(interpreter);
    if (thread->ndrops)
        duties->left(thread);
}
