/* Entering and leaving the interpreter: one cached thread state per thread. See thread.h. */
#include "thread.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "drops_queue.h"
#include "gate.h"
#include "place.h"
#include "request.h"
#include "watch.h"

static _Thread_local struct glupy_thread *current;
static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static atomic_bool gone;
static struct {
    pthread_mutex_t lock;
    struct list_head list;
} threads = {.lock = PTHREAD_MUTEX_INITIALIZER, .list = {&threads.list, &threads.list}};

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

/* The thread ends: give its states back. While the process exits or Python is finalised by its host, attaching would
 * hang or kill the thread; the states are then left to the end of the process. */
static void
thread_end(void *arg)
{
    struct glupy_thread *thread = arg;

    for (unsigned i = GLUPY_MAX_INTERPRETERS; i-- > 0 && !glupy_python_gone();)
        if (thread->tstates[i] && (i || thread->ours))
            give_back(thread->tstates[i]); /* what dies here is given up as by a thread that is not ours */
    current = NULL;
    pthread_mutex_lock(&threads.lock);
    list_del(&thread->link);
    pthread_mutex_unlock(&threads.lock);
    glupy_watch_forget_thread(thread);
    glupy_place_free_stack(thread);
    free(thread->drops);
    glupy_request_free_spares(thread);
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

/* A state for this thread, detached. One that a Python program's own thread has already is used, and left to it. */
static void
make_tstate(struct glupy_thread *thread)
{
    thread->ours = PyGILState_GetThisThreadState() == NULL;
    PyGILState_Ensure();
    thread->tstates[0] = PyEval_SaveThread();
}

static void
enlist(struct glupy_thread *thread)
{
    thread->tid = (pid_t)syscall(SYS_gettid);
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

struct glupy_thread *
glupy_thread_if_any(void)
{
    return current;
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
    make_tstate(thread);
    pthread_once(&key_once, make_key);
    pthread_setspecific(key, thread);
    enlist(thread);
    glupy_watch_thread(thread);
    current = thread;
    return thread;
}

/* Attached to that interpreter by a state of the calling thread's own. Threads that are inside keep theirs. */
static void
delete_states(const struct glupy_thread *self, unsigned interpreter)
{
    struct glupy_thread *thread;

    pthread_mutex_lock(&threads.lock);
    list_for_each_entry(thread, &threads.list, link)
    {
        if (thread == self || thread->inside || !thread->tstates[interpreter])
            continue;
        PyThreadState_Clear(thread->tstates[interpreter]);
        PyThreadState_Delete(thread->tstates[interpreter]);
        thread->tstates[interpreter] = NULL;
    }
    pthread_mutex_unlock(&threads.lock);
}

/* Py_FinalizeEx() ends the other interpreters, and aborts where one still has a thread's state. */
static void
leave_interpreter(struct glupy_thread *self, unsigned interpreter)
{
    glupy_enter(self, interpreter);
    delete_states(self, interpreter);
    glupy_leave(self);
    give_back(self->tstates[interpreter]);
    self->tstates[interpreter] = NULL;
}

void
glupy_python_going(void)
{
    struct glupy_thread *self = NULL;

    Py_BEGIN_ALLOW_THREADS
    if (glupy_interpreters_made() > 1)
        self = glupy_thread();
    atomic_store_explicit(&gone, true, memory_order_release);
    for (unsigned i = glupy_interpreters_made(); self && i-- > 1;)
        leave_interpreter(self, i);
    Py_END_ALLOW_THREADS
}

void
glupy_enter(struct glupy_thread *thread, unsigned interpreter)
{
    if (!thread->tstates[interpreter])
        thread->tstates[interpreter] = glupy_interpreter_new_thread_state(interpreter);
    PyEval_RestoreThread(thread->tstates[interpreter]);
    thread->inside++;
}

static void
detach(struct glupy_thread *thread)
{
    thread->inside--;
    PyEval_SaveThread();
}

void
glupy_leave(struct glupy_thread *thread)
{
    detach(thread);
    if (thread->ndrops)
        glupy_drops_release(thread);
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
        glupy_drops_release(thread);
}
