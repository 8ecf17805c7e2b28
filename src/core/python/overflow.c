/* Saying that a stack has overflowed, from within the signal handler: by system calls and prepared text alone. See
 * overflow.h. */
#include "python/overflow.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "python/thread.h"

/* GlusterFS's handler runs on it as well, and flushes the log. Mapped lazily: costs nothing until then. */
#define SIGNAL_STACK (256u << 10)
#define GUARD (64u << 10)

/* As far below a stack as a frame may reach that does not fit any more. A thread's own guard is one page. */
#define REACH (64u << 10)

static struct sigaction before;

struct text {
    char bytes[512];
    size_t length;
};

static void
say(struct text *text, const char *words)
{
    while (*words && text->length < sizeof(text->bytes))
        text->bytes[text->length++] = *words++;
}

static void
say_number(struct text *text, uint64_t number, unsigned digits)
{
    char reversed[20];
    unsigned n = 0;

    for (; n < sizeof(reversed) && (number || n < digits); number /= 10)
        reversed[n++] = (char)('0' + number % 10);
    while (n && text->length < sizeof(text->bytes))
        text->bytes[text->length++] = reversed[--n];
}

/* As at the head of each entry. gmtime_r() takes a lock. Years are counted from March, four centuries alike. */
static void
say_time(struct text *text)
{
    struct timespec now;
    uint64_t days, era, day, year, month, seconds;

    clock_gettime(CLOCK_REALTIME, &now);
    days = (uint64_t)now.tv_sec / 86400 + 719468;
    seconds = (uint64_t)now.tv_sec % 86400;
    era = days / 146097;
    day = days % 146097;
    year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    month = (5 * day + 2) / 153;
    day -= (153 * month + 2) / 5;
    say(text, "[");
    say_number(text, era * 400 + year + (month >= 10), 4);
    say(text, "-");
    say_number(text, month < 10 ? month + 3 : month - 9, 2);
    say(text, "-");
    say_number(text, day + 1, 2);
    say(text, " ");
    say_number(text, seconds / 3600, 2);
    say(text, ":");
    say_number(text, seconds / 60 % 60, 2);
    say(text, ":");
    say_number(text, seconds % 60, 2);
    say(text, ".");
    say_number(text, (uint64_t)now.tv_nsec / 1000, 6);
    say(text, " +0000]");
}

/* What the thread was at, as far as it has said so. */
static const char *
doing_of(struct glupy_thread *thread)
{
    const char *doing = atomic_load_explicit(&thread->watched.doing, memory_order_relaxed);

    return doing ? doing : "python";
}

static void
say_where(struct text *text, struct glupy_thread *thread, const char *whose, size_t size)
{
    char name[16] = "";

    prctl(PR_GET_NAME, name);
    say_time(text);
    say(text, " C [MSGID: 0] [glupy:0:");
    say(text, doing_of(thread));
    say(text, "] 0-");
    say(text, THIS->name);
    say(text, ": the C stack of thread ");
    say(text, name);
    say(text, " has overflowed (");
    say(text, whose);
    say(text, ", ");
    say_number(text, size >> 10, 1);
    say(text, " KiB): C code that it runs for Python calls itself without end, or deeper than sys.setrecursionlimit() "
              "should allow. The process dies of it\n");
}

static void
write_log(const struct text *text)
{
    glusterfs_ctx_t *ctx = THIS->ctx;
    FILE *log = ctx ? ctx->log.logfile : NULL;
    ssize_t written = write(log ? fileno(log) : STDERR_FILENO, text->bytes, text->length);

    (void)written; /* there is nobody to tell */
}

static bool
is_end_of(const char *low, const char *address)
{
    return low && address < low + sysconf(_SC_PAGESIZE) && address >= low - REACH;
}

static void
tell(struct glupy_thread *thread, const char *address)
{
    struct text text = {.length = 0};
    const char *private_end = thread->private_low ? thread->private_low + GLUPY_PRIVATE_GUARD : NULL;

    if (is_end_of(private_end, address))
        say_where(&text, thread, "one of glupy's", (size_t)(thread->private_high - private_end));
    else if (is_end_of(thread->stack_low, address))
        say_where(&text, thread, "its own", (size_t)(thread->stack_high - thread->stack_low));
    else
        return;
    write_log(&text);
}

/* To whoever handled it before us. The default is to die: of the very instruction, which is tried again. */
static void
pass_on(int number, siginfo_t *info, void *context)
{
    static const struct sigaction deadly = {.sa_handler = SIG_DFL};

    if (before.sa_flags & SA_SIGINFO) {
        before.sa_sigaction(number, info, context);
    } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
        before.sa_handler(number);
    } else {
        sigaction(number, &deadly, NULL);
        if (info->si_code <= 0) /* from kill(): no instruction will raise it again */
            raise(number);
    }
}

static void
on_fault(int number, siginfo_t *info, void *context)
{
    struct glupy_thread *thread = glupy_thread_if_any();
    int error = errno;

    if (thread && info->si_code > 0)
        tell(thread, info->si_addr);
    errno = error;
    pass_on(number, info, context);
}

static void
watch(void)
{
    struct sigaction ours = {.sa_sigaction = on_fault};

    if (sigaction(SIGSEGV, NULL, &before) != 0)
        return;
    ours.sa_mask = before.sa_mask;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | (before.sa_flags & (SA_NODEFER | SA_RESTART));
    sigaction(SIGSEGV, &ours, NULL);
}

void
glupy_overflow_watch(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, watch);
}

/* faulthandler, the sanitizers and others may have come first: their stack will do. */
void
glupy_overflow_prepare(struct glupy_thread *thread)
{
    stack_t stack;
    char *low;

    if (sigaltstack(NULL, &stack) != 0 || !(stack.ss_flags & SS_DISABLE))
        return;
    low = mmap(NULL, GUARD + SIGNAL_STACK, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (low == MAP_FAILED)
        return;
    mprotect(low, GUARD, PROT_NONE);
    stack = (stack_t){.ss_sp = low + GUARD, .ss_size = SIGNAL_STACK};
    if (sigaltstack(&stack, NULL) == 0)
        thread->signal_stack = low;
    else
        munmap(low, GUARD + SIGNAL_STACK);
}

/* Who has put another in its place may put it back: it stays mapped then. */
void
glupy_overflow_forget(struct glupy_thread *thread)
{
    stack_t stack;

    if (!thread->signal_stack || sigaltstack(NULL, &stack) != 0 || stack.ss_sp != thread->signal_stack + GUARD)
        return;
    stack = (stack_t){.ss_flags = SS_DISABLE};
    if (sigaltstack(&stack, NULL) == 0)
        munmap(thread->signal_stack, GUARD + SIGNAL_STACK);
    thread->signal_stack = NULL;
}
