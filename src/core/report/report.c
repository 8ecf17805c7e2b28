/* Telling what an instance is doing. See report.h. */
#include "report/report.h"

#include "instance/replicas.h"
#include "request/failure.h"
#include "request/request.h"

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

/* What all replicas have counted of one fop. In each the endings are read before the calls, so that there are never more
 * of them. */
struct sum {
    uint64_t calls, refused, succeeded, failed, passed_on, cancelled, exceptions, python, waiting;
};

static struct glupy_fop_stats *
stats_at(struct glupy_instance *instance, unsigned fop)
{
    return fop < GLUPY_FOP_COUNT ? &instance->stats.fops[fop] : &instance->stats.tasks;
}

static struct sum
sum_of(struct glupy_instance *primary, unsigned fop)
{
    struct glupy_instance *replica;
    struct sum sum = {0};

    glupy_for_each_replica(replica, primary)
    {
        struct glupy_fop_stats *stats = stats_at(replica, fop);

        sum.succeeded += value_of(&stats->ended[GLUPY_SUCCEEDED]);
        sum.failed += value_of(&stats->ended[GLUPY_FAILED]);
        sum.passed_on += value_of(&stats->ended[GLUPY_PASSED_ON]);
        sum.cancelled += value_of(&stats->ended[GLUPY_CANCELLED]);
        sum.refused += value_of(&stats->refused);
        sum.calls += value_of(&stats->calls);
        sum.exceptions += value_of(&stats->exceptions);
        sum.python += value_of(&stats->python);
        sum.waiting += value_of(&stats->waiting);
    }
    return sum;
}

static uint64_t
in_flight(const struct sum *sum)
{
    return sum->calls - sum->succeeded - sum->failed - sum->passed_on - sum->cancelled - sum->refused;
}

static uint64_t
all_in_flight(struct glupy_instance *primary)
{
    uint64_t all = 0;

    for (unsigned i = 0; i <= GLUPY_FOP_COUNT; i++) {
        struct sum sum = sum_of(primary, i);

        all += in_flight(&sum);
    }
    return all;
}

static uint64_t
count_of(struct glupy_fop_stats *stats, int32_t op_errno)
{
    struct glupy_errno_count *at = atomic_load_explicit(&stats->errnos, memory_order_acquire);

    while (at && at->op_errno != op_errno)
        at = at->next;
    return at ? value_of(&at->count) : 0;
}

/* In the replicas from `first` to before `end`. */
static uint64_t
sum_of_errno(struct glupy_instance *primary, unsigned first, unsigned end, unsigned fop, int32_t op_errno)
{
    uint64_t sum = 0;

    for (unsigned i = first; i < end; i++)
        sum += count_of(stats_at(primary->replicas.list[i], fop), op_errno);
    return sum;
}

static void
write_errno(struct report *report, int32_t op_errno, uint64_t count)
{
    const char *name = op_errno == GLUPY_OTHER_ERRNO ? "other" : strerrorname_np(op_errno);
    char number[16];

    snprintf(number, sizeof(number), "%d", op_errno);
    report->to->number(report->to, name && op_errno ? name : number, count);
}

/* Each once, with the first replica that has it. */
static void
write_errnos(struct report *report, unsigned fop)
{
    struct glupy_instance *primary = report->instance;

    report->to->open(report->to, "errors", false);
    for (unsigned i = 0; i < primary->replicas.count; i++) {
        struct glupy_fop_stats *stats = stats_at(primary->replicas.list[i], fop);
        struct glupy_errno_count *at = atomic_load_explicit(&stats->errnos, memory_order_acquire);

        for (; at; at = at->next)
            if (!sum_of_errno(primary, 0, i, fop, at->op_errno))
                write_errno(report, at->op_errno, sum_of_errno(primary, i, primary->replicas.count, fop, at->op_errno));
    }
    report->to->close(report->to);
}

static void
write_counters(struct report *report, const char *key, unsigned fop)
{
    struct glupy_writer *to = report->to;
    struct sum sum = sum_of(report->instance, fop);
    bool task = fop == GLUPY_FOP_COUNT;

    to->open(to, key, false);
    to->number(to, "calls", sum.calls);
    to->number(to, "in_flight", in_flight(&sum));
    to->number(to, "succeeded", sum.succeeded);
    to->number(to, "failed", sum.failed);
    if (task) {
        to->number(to, "cancelled", sum.cancelled);
    } else {
        to->number(to, "passed_on", sum.passed_on);
        to->number(to, "refused", sum.refused);
        write_errnos(report, fop);
    }
    to->number(to, "exceptions", sum.exceptions);
    to->number(to, "python_us", microseconds(report, sum.python));
    if (!task)
        to->number(to, "waiting_us", microseconds(report, sum.waiting));
    to->close(to);
}

static bool
was_called(struct glupy_instance *primary, unsigned fop)
{
    struct glupy_instance *replica;

    glupy_for_each_replica(replica, primary)
        if (value_of(&replica->stats.fops[fop].calls))
            return true;
    return false;
}

static void
write_fops(struct report *report)
{
    report->to->open(report->to, "fops", false);
    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++)
        if (was_called(report->instance, i))
            write_counters(report, glupy_fops[i].name, i);
    report->to->close(report->to);
    write_counters(report, "tasks", GLUPY_FOP_COUNT);
}

/* Records of its Writers, where it has written or lost any */

static void
write_records(struct report *report)
{
    struct glupy_instance *replica;
    uint64_t written = 0, dropped = 0;

    glupy_for_each_replica(replica, report->instance)
    {
        written += value_of(&replica->stats.records_written);
        dropped += value_of(&replica->stats.records_dropped);
    }
    if (!written && !dropped)
        return;
    report->to->open(report->to, "records", false);
    report->to->number(report->to, "written", written);
    report->to->number(report->to, "dropped", dropped);
    report->to->close(report->to);
}

/* The latest failure in the background */

static void
write_failure(struct report *report)
{
    struct glupy_failure latest = {0}, other;
    struct glupy_instance *replica;

    glupy_for_each_replica(replica, report->instance)
    {
        if (glupy_failure_copy(replica, &other) && other.when > latest.when) {
            struct glupy_failure older = latest;

            latest = other;
            other = older;
        }
        glupy_failure_clear(&other);
    }
    if (!latest.when)
        return;
    report->to->open(report->to, "latest_task_failure", false);
    text_if_any(report->to, "task", latest.task);
    text_if_any(report->to, "exception", latest.exception);
    text_if_any(report->to, "at", latest.at);
    report->to->number(report->to, "ago_us", microseconds(report, glupy_ticks_between(latest.when, report->now)));
    report->to->close(report->to);
    glupy_failure_clear(&latest);
}

/* Threads */

#define MOST_RUNNING 32u

struct threads {
    struct glupy_instance *instance;
    uint64_t waiting; /* for the interpreter */
    unsigned n;       /* inside, as far as there is room: several in one only where Python code has let go of it */
    struct {
        const struct glupy_fop *fop;
        uint64_t since;
        pid_t tid;
    } inside[MOST_RUNNING];
};

static bool
is_replica(struct glupy_instance *primary, const struct glupy_stats *stats)
{
    struct glupy_instance *replica;

    glupy_for_each_replica(replica, primary)
        if (&replica->stats == stats)
            return true;
    return false;
}

/* Under the lock of the list of threads, so nothing is written here. */
static void
look_at_thread(struct glupy_thread *thread, void *arg)
{
    struct threads *threads = arg;
    uint64_t since = atomic_load_explicit(&thread->busy_since, memory_order_relaxed);

    if (!is_replica(threads->instance, atomic_load_explicit(&thread->busy_for, memory_order_relaxed)))
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
    struct glupy_instance *replica;
    uint64_t arriving = 0;

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
    glupy_for_each_replica(replica, report->instance)
        arriving += value_of(&replica->stats.arriving);
    to->number(to, "waiting_for_interpreter", threads.waiting + arriving);
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

static int
older_first(const void *a, const void *b)
{
    const struct glupy_suspended *one = a, *other = b;

    return (one->since > other->since) - (one->since < other->since);
}

/* Those of all replicas, the oldest first; some of them more than are shown. How many. */
static unsigned
copy_resting(struct glupy_instance *primary, struct glupy_suspended *out, unsigned shown, uint64_t *count)
{
    struct glupy_instance *replica;
    unsigned n = 0;

    glupy_for_each_replica(replica, primary)
    {
        uint64_t of_one;

        n += glupy_resting_copy(replica, out + n, out ? shown : 0, &of_one);
        *count += of_one;
    }
    if (n)
        qsort(out, n, sizeof(*out), older_first);
    return n;
}

static void
write_resting(struct report *report, unsigned shown)
{
    size_t room = (size_t)report->instance->replicas.count * (shown ? shown : 1);
    struct glupy_suspended *suspended = calloc(room, sizeof(*suspended));
    uint64_t count = 0;
    unsigned n = copy_resting(report->instance, suspended, shown, &count);
    unsigned most = n < shown ? n : shown;

    report->n = 0;
    report->to->open(report->to, "suspended", false);
    report->to->number(report->to, "count", count);
    report->to->number(report->to, "shown", most);
    report->to->open(report->to, "longest", true);
    for (unsigned i = 0; i < most; i++)
        write_suspended(report, &suspended[i]);
    report->to->close(report->to);
    report->to->close(report->to);
    glupy_suspended_free(suspended, n);
    free(suspended);
}

static uint64_t
count_resting(struct glupy_instance *primary)
{
    struct glupy_instance *replica;
    uint64_t count = 0;

    glupy_for_each_replica(replica, primary)
        count += glupy_resting_count(replica);
    return count;
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

/* Loadings of the translator's file while the graph is up: all replicas take them together. */

static void
write_versions(struct report *report)
{
    struct glupy_versions *versions = &report->instance->versions;
    uint64_t latest = value_of(&versions->latest), inside = 0;
    struct glupy_instance *replica;

    glupy_for_each_replica(replica, report->instance)
        inside += atomic_load_explicit(&replica->versions.inside, memory_order_relaxed);
    report->to->open(report->to, "reloads", false);
    report->to->number(report->to, "taken", value_of(&versions->taken));
    report->to->number(report->to, "refused", value_of(&versions->refused));
    report->to->number(report->to, "replaced_inside", inside);
    if (latest)
        report->to->number(report->to, "ago_us", microseconds(report, glupy_ticks_between(latest, report->now)));
    report->to->close(report->to);
}

void
glupy_report(struct glupy_instance *instance, struct glupy_writer *to, unsigned shown)
{
    struct report report = begin(instance, to);

    to->open(to, "", false);
    to->text(to, "name", instance->this->name);
    to->text(to, "type", instance->this->type);
    write_options(&report);
    write_versions(&report);
    to->number(to, "in_flight", all_in_flight(instance));
    write_fops(&report);
    write_records(&report);
    write_failure(&report);
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
    to->number(to, "suspended", count_resting(instance));
    write_fops(&report);
    write_records(&report);
    to->close(to);
}
