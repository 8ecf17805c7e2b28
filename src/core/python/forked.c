/* What processes that are started from here have of GlusterFS's, and what not. See forked.h. */
#include "python/forked.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/gluster.h"
#include <glusterfs/gf-event.h>

#define FUSE_MAJOR 10 /* of /dev/fuse: linux/miscdevice.h */
#define FUSE_MINOR 229

bool glupy_in_child;

static int
add_signals(PyObject *numbers, sigset_t *set)
{
    PyObject *list = PySequence_Fast(numbers, "expected numbers of signals");

    sigemptyset(set);
    for (Py_ssize_t i = 0; list && i < PySequence_Fast_GET_SIZE(list); i++) {
        long number = PyLong_AsLong(PySequence_Fast_GET_ITEM(list, i));

        if ((number == -1 && PyErr_Occurred()) || sigaddset(set, (int)number) != 0) {
            if (!PyErr_Occurred())
                PyErr_Format(PyExc_ValueError, "%ld is no signal", number);
            Py_CLEAR(list);
        }
    }
    Py_XDECREF(list);
    return list ? 0 : -1;
}

/* A new process has the signal mask that its thread had. So for as long as the thread starts one it has the mask that the new
 * process is to have; by which the kernel may give it a signal that somebody else waits for (sigwait, signalfd), and whose
 * action, while nobody is meant to receive it, is to end the process. These are handed on meanwhile. */

static struct {
    pthread_mutex_t lock; /* one at a time; not waited for with the interpreter held */
    _Atomic(pthread_t) thread;
    bool handed_on[NSIG];
} opening = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool
ends_the_process(int number)
{
    switch (number) {
        case SIGKILL: case SIGSTOP: case SIGCHLD: case SIGCONT: case SIGURG: case SIGWINCH:
        case SIGTSTP: case SIGTTIN: case SIGTTOU: /* these do not, or not by a handler's leave */
        case SIGSEGV: case SIGBUS: case SIGFPE: case SIGILL: case SIGABRT: case SIGSYS: case SIGTRAP: /* a thread's own */
            return false;
        default:
            return true;
    }
}

/* On any thread. The thread that starts a process blocks it from here on, until it has its own mask again; the signal finds who
 * waits for it. Another one that does not block it is meant to receive it: what would have become of it without us. */
static void
hand_on(int number, siginfo_t *info, void *context)
{
    int before = errno;

    (void)info;
    if (pthread_equal(opening.thread, pthread_self())) {
        sigaddset(&((ucontext_t *)context)->uc_sigmask, number);
        kill(getpid(), number);
    } else {
        signal(number, SIG_DFL);
        raise(number);
    }
    errno = before;
}

static void
begin_to_hand_on(void)
{
    struct sigaction action = {.sa_sigaction = hand_on, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK}, before;

    sigfillset(&action.sa_mask);
    for (int number = 1; number < NSIG; number++) {
        opening.handed_on[number] = ends_the_process(number) && sigaction(number, NULL, &before) == 0 &&
                                    before.sa_handler == SIG_DFL && sigaction(number, &action, NULL) == 0;
    }
}

static void
end_to_hand_on(void)
{
    struct sigaction now;

    for (int number = 1; number < NSIG; number++)
        if (opening.handed_on[number] && sigaction(number, NULL, &now) == 0 && now.sa_sigaction == hand_on)
            signal(number, SIG_DFL);
}

PyObject *
glupy_with_mask_method(PyObject *module, PyObject *args)
{
    PyObject *rest, *result;
    sigset_t wanted, before;

    (void)module;
    if (PyTuple_GET_SIZE(args) < 2) {
        PyErr_SetString(PyExc_TypeError, "expected a mask and a function, then its arguments");
        return NULL;
    }
    if (add_signals(PyTuple_GET_ITEM(args, 0), &wanted) != 0)
        return NULL;
    rest = PyTuple_GetSlice(args, 2, PyTuple_GET_SIZE(args));
    if (!rest)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    pthread_mutex_lock(&opening.lock);
    Py_END_ALLOW_THREADS
    opening.thread = pthread_self();
    begin_to_hand_on();
    pthread_sigmask(SIG_SETMASK, &wanted, &before);
    result = PyObject_Call(PyTuple_GET_ITEM(args, 1), rest, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    end_to_hand_on();
    opening.thread = 0;
    pthread_mutex_unlock(&opening.lock);
    Py_DECREF(rest);
    return result;
}

/* In the child of os.fork() */

void
glupy_child_refuse(void)
{
    PyErr_SetString(PyExc_RuntimeError,
                    "this process was forked from GlusterFS's and is not part of it: it can compute and give back what it "
                    "has found, by a pipe or as a multiprocessing.Pool does, but not ask other layers for anything");
}

/* The days since 1970 as a date. gmtime_r() takes a lock that another thread may have had when this process was forked. */
static void
date_of(time_t seconds, int *year, int *month, int *day)
{
    long days = (long)(seconds / 86400) + 719468, era = days / 146097, of_era = days - era * 146097;
    long year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    long of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100), shifted = (5 * of_year + 2) / 153;

    *day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

/* As GlusterFS writes it, at once: its log is opened for appending. */
void
glupy_child_say(const char *name, char level, const char *file, int line, const char *function, const char *text)
{
    FILE *log = THIS->ctx ? THIS->ctx->log.logfile : NULL;
    int year, month, day;
    struct timespec now;

    if (!log)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    date_of(now.tv_sec, &year, &month, &day);
    dprintf(fileno(log), "[%04d-%02d-%02d %02d:%02d:%02d.%06ld +0000] %c [%s:%d:%s] 0-%s: (child %d) %s\n", year, month, day,
            (int)(now.tv_sec / 3600 % 24), (int)(now.tv_sec / 60 % 60), (int)(now.tv_sec % 60), now.tv_nsec / 1000, level,
            file, line, function, name, (int)getpid(), text);
}

_Noreturn void
glupy_child_came_back(void)
{
    glupy_child_say("glupy", 'E', "glupy", 0, "fork",
                    "a child of os.fork() returned from the function that forked it, where only GlusterFS's own process goes "
                    "on: it was ended; it has to end by itself, by os._exit()");
    _exit(EXIT_FAILURE);
}

/* Handlers of GlusterFS's (those that Python has set are kept): SIGINT would unmount, and a crash is not the parent's. */
static void
forget_handlers(const sigset_t *kept)
{
    struct sigaction now;

    for (int number = 1; number < NSIG; number++)
        if (!sigismember(kept, number) && sigaction(number, NULL, &now) == 0 && now.sa_handler != SIG_IGN &&
            now.sa_handler != SIG_DFL)
            signal(number, SIG_DFL);
}

/* The kernel's device for mounts, and sockets but for those that exec() would close, as Python's. */
static bool
is_glusters(int descriptor)
{
    int flags = fcntl(descriptor, F_GETFD);
    struct stat stat;

    if (flags < 0 || flags & FD_CLOEXEC || fstat(descriptor, &stat) != 0)
        return false;
    return S_ISSOCK(stat.st_mode) || (S_ISCHR(stat.st_mode) && stat.st_rdev == makedev(FUSE_MAJOR, FUSE_MINOR));
}

/* What GlusterFS's event threads wait for: the connections that it has made and was given. */
static void
close_connections(void)
{
    struct event_pool *pool = THIS->ctx ? THIS->ctx->event_pool : NULL;
    char line[256];
    int descriptor;
    FILE *events;

    if (!pool)
        return;
    snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", pool->fd);
    events = fopen(line, "re");
    while (events && fgets(line, sizeof(line), events))
        if (sscanf(line, "tfd: %d", &descriptor) == 1)
            close(descriptor);
    if (events)
        fclose(events);
}

/* For as long as any process has them, they are open: a mount whose process has died would hang those who use it, and a
 * brick's clients would not notice. */
static void
close_glusters_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;

    while (folder && (entry = readdir(folder))) {
        int number = atoi(entry->d_name);

        if (number > STDERR_FILENO && is_glusters(number))
            close(number);
    }
    if (folder)
        closedir(folder);
    close_connections();
}

PyObject *
glupy_forked_method(PyObject *module, PyObject *args)
{
    PyObject *blocked, *handled;
    sigset_t mask, kept;

    (void)module;
    if (!PyArg_ParseTuple(args, "OO:_forked", &blocked, &handled) || add_signals(blocked, &mask) != 0 ||
        add_signals(handled, &kept) != 0)
        return NULL;
    glupy_in_child = true;
    forget_handlers(&kept);
    close_glusters_files();
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    Py_RETURN_NONE;
}
