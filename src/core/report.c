/* Telling what an instance is doing. See report.h. */
#include "report.h"

#include "request.h"

struct report {
    struct glupy_instance *instance;
    struct glupy_writer *to;
    double nanoseconds; /* of a tick */
    uint64_t now;
    unsigned n;         /* entries of the list being written */
};

static uint64_t
value_of(glupy_counter *counter)
{
    return atomic_load_explicit(counter, memory_order_acquire);
}

static uint64_t
microseconds(const struct report *report, uint64_t ticks)
{
    return (uint64_t)((double)ticks * report->nanoseconds / 1000.0);
}

static void
open_entry(struct report *report)
{
    char key[16];

    snprintf(key, sizeof(key), "%u", report->n++);
    report->to->open(report->to, key, false);
}

static void
text_if_any(struct glupy_writer *to, const char *key, const char *value)
{
    if (value)
        to->text(to, key, value);
}

/* Options */

/* Those in force, a line NAME=VALUE each: after a live change other ones than the volfile's that the graph began with. */
static void
write_options(struct report *report)
{
    char *text = glupy_instance_options_text(report->instance), *rest = text;

    report->to->open(report->to, "options", false);
    for (char *line; rest && (line = strsep(&rest, "\n"));) {
        char *name = strsep(&line, "=");

        if (line)
            report->to->text(report->to, name, line);
    }
    report->to->close(report->to);
    free(text);
}

/* Counters */

static void
write_errnos(struct report *report, struct glupy_fop_stats *stats)
{
    struct glupy_errno_count *at = atomic_load_explicit(&stats->errnos, memory_order_acquire);

    report->to->open(report->to, "errors", false);
    for (; at; at = at->next) {
        const char *name = strerrorname_np(at->op_errno);
        char number[16];

        snprintf(number, sizeof(number), "%d", at->op_errno);
        report->to->number(report->to, name && at->op_errno ? name : number, value_of(&at->count));
    }
    report->to->close(report->to);
}

/* How many calls have ended. To be read before `calls`, so that there are never more of them. */
static uint64_t
ended(struct glupy_fop_stats *stats)
{
    return value_of(&stats->succeeded) + value_of(&stats->failed) + value_of(&stats->passed_on) + value_of(&stats->refused);
}

static uint64_t
in_flight(struct glupy_fop_stats *stats)
{
    uint64_t before = ended(stats);

    return value_of(&stats->calls) - before;
}

static uint64_t
all_in_flight(struct glupy_instance *instance)
{
    uint64_t sum = in_flight(&instance->stats.tasks);

    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++)
        sum += in_flight(&instance->stats.fops[i]);
    return sum;
}

static void
write_counters(struct report *report, const char *key, struct glupy_fop_stats *stats, bool task)
{
    struct glupy_writer *to = report->to;
    uint64_t succeeded = value_of(&stats->succeeded), failed = value_of(&stats->failed);
    uint64_t passed_on = value_of(&stats->passed_on), refused = value_of(&stats->refused);
    uint64_t calls = value_of(&stats->calls);

    to->open(to, key, false);
    to->number(to, "calls", calls);
    to->number(to, "in_flight", calls - succeeded - failed - passed_on - refused);
    to->number(to, "succeeded", succeeded);
    to->number(to, "failed", failed);
    if (!task) {
        to->number(to, "passed_on", passed_on);
        to->number(to, "refused", refused);
        write_errnos(report, stats);
    }
    to->number(to, "exceptions", value_of(&stats->exceptions));
    to->number(to, "python_us", microseconds(report, value_of(&stats->python)));
    if (!task)
        to->number(to, "waiting_us", microseconds(report, value_of(&stats->waiting)));
    to->close(to);
}

static void
write_fops(struct report *report)
{
    report->to->open(report->to, "fops", false);
    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++)
        if (value_of(&report->instance->stats.fops[i].calls))
            write_counters(report, glupy_fops[i].name, &report->instance->stats.fops[i], false);
    report->to->close(report->to);
    write_counters(report, "tasks", &report->instance->stats.tasks, true);
}

/* Threads */

#define MOST_RUNNING 32u

struct threads {
    const struct glupy_instance *instance;
    uint64_t waiting; /* for the interpreter */
    unsigned n;       /* inside, as far as there is room: several only where Python code has let go of it */
    struct {
        const struct glupy_fop *fop;
        uint64_t since;
        pid_t tid;
    } inside[MOST_RUNNING];
};

/* Under the lock of the list of threads, so nothing is written here. */
static void
look_at_thread(struct glupy_thread *thread, void *arg)
{
    struct threads *threads = arg;
    uint64_t since = atomic_load_explicit(&thread->busy_since, memory_order_relaxed);

    if (atomic_load_explicit(&thread->busy_for, memory_order_relaxed) != threads->instance)
        return;
    if (!since) {
        threads->waiting++;
    } else if (threads->n < MOST_RUNNING) {
        threads->inside[threads->n].fop = atomic_load_explicit(&thread->busy_with, memory_order_relaxed);
        threads->inside[threads->n].since = since;
        threads->inside[threads->n++].tid = thread->tid;
    }
}

static void
write_threads(struct report *report)
{
    struct threads threads = {.instance = report->instance};
    struct glupy_writer *to = report->to;

    glupy_threads_each(look_at_thread, &threads);
    report->n = 0;
    to->open(to, "running", true);
    for (unsigned i = 0; i < threads.n; i++) {
        open_entry(report);
        to->text(to, "fop", threads.inside[i].fop ? threads.inside[i].fop->name : "task");
        to->number(to, "thread", (uint64_t)threads.inside[i].tid);
        to->number(to, "us", microseconds(report, glupy_ticks_between(threads.inside[i].since, report->now)));
        to->close(to);
    }
    to->close(to);
    to->number(to, "waiting_for_interpreter", threads.waiting + value_of(&report->instance->stats.arriving));
}

/* Requests at rest */

static void
write_suspended(struct report *report, const struct glupy_suspended *one)
{
    struct glupy_writer *to = report->to;

    open_entry(report);
    to->text(to, "fop", one->fop);
    text_if_any(to, "path", one->path);
    to->number(to, "age_us", microseconds(report, glupy_ticks_between(one->began, report->now)));
    to->number(to, "resting_us", microseconds(report, glupy_ticks_between(one->since, report->now)));
    text_if_any(to, "awaits", one->awaits);
    text_if_any(to, "at", one->at);
    if (one->caller) {
        to->number(to, "unique", one->unique);
        to->number(to, "uid", one->uid);
        to->number(to, "pid", one->pid);
    }
    to->close(to);
}

static void
write_resting(struct report *report, unsigned shown)
{
    struct glupy_suspended *suspended = calloc(shown ? shown : 1, sizeof(*suspended));
    uint64_t count = 0;
    unsigned n = glupy_resting_copy(report->instance, suspended, suspended ? shown : 0, &count);

    report->n = 0;
    report->to->open(report->to, "suspended", false);
    report->to->number(report->to, "count", count);
    report->to->number(report->to, "shown", n);
    report->to->open(report->to, "longest", true);
    for (unsigned i = 0; i < n; i++)
        write_suspended(report, &suspended[i]);
    report->to->close(report->to);
    report->to->close(report->to);
    glupy_suspended_free(suspended, n);
    free(suspended);
}

static struct report
begin(struct glupy_instance *instance, struct glupy_writer *to)
{
    return (struct report){
        .instance = instance,
        .to = to,
        .nanoseconds = glupy_ticks_nanoseconds(),
        .now = glupy_ticks(),
    };
}

void
glupy_report(struct glupy_instance *instance, struct glupy_writer *to, unsigned shown)
{
    struct report report = begin(instance, to);

    to->open(to, "", false);
    to->text(to, "name", instance->this->name);
    to->text(to, "type", instance->this->type);
    write_options(&report);
    to->number(to, "in_flight", all_in_flight(instance));
    write_fops(&report);
    write_threads(&report);
    write_resting(&report, shown);
    to->close(to);
}

void
glupy_report_numbers(struct glupy_instance *instance, struct glupy_writer *to)
{
    struct report report = begin(instance, to);

    to->open(to, "", false);
    to->number(to, "in_flight", all_in_flight(instance));
    to->number(to, "suspended", glupy_resting_count(instance));
    write_fops(&report);
    to->close(to);
}
