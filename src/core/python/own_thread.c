/* Threads of our own: how they are started. See own_thread.h. */
#include "python/own_thread.h"

#include <errno.h>
#include <glusterfs/common-utils.h>
#include <pthread.h>
#include <signal.h>

#define STACK_SIZE (8u << 20)

/* What the kernel raises for a fault of the thread itself, or the thread for itself. A thread that blocks such a signal
 * is killed by it all the same, but past GlusterFS's handler, which writes the backtrace into the log. */
static void
fault_signals(sigset_t *set)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};

    sigemptyset(set);
    for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        sigaddset(set, faults[i]);
}

/* gf_thread_create() adds to what the caller blocks, and never takes from it: a thread inherits what a program that uses
 * libgfapi, or whoever started the daemon, had blocked. */
int
glupy_start_thread(void *(*fn)(void *), void *arg, const char *name)
{
    sigset_t faults, before;
    pthread_attr_t attr;
    pthread_t thread;
    int failed;

    fault_signals(&faults);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_UNBLOCK, &faults, &before);
    failed = gf_thread_create(&thread, &attr, fn, arg, "%s", name);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return failed ? EAGAIN : 0; /* the reason why pthread_create() fails; GlusterFS keeps it to itself */
}
