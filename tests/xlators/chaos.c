/* chaos: answers every fop, but not always as a well-behaved child does. For each fop a seeded generator picks one of
 * the modes of chaos.h; the same seed and the same order of fops give the same picks.
 *
 * Lookups of the root pass untouched: without them no graph comes up.
 *
 * Options, all of which can be changed live but `threads`:
 *   seed          of the generator (default 1)
 *   thread, late, early-thread, order, error, never
 *                 weights of the modes in percent (default 0)
 *   sync          weight of the ordinary way (default: what the others leave of 100)
 *   delay         late replies wait up to, and order holds replies back for, so many milliseconds (default 10)
 *   after         the first so many fops are passed through untouched (default 0)
 *   threads       threads that give replies (default 4)
 *   release       on: the fops that are never answered are, with ENOTCONN, those to come as well (default off)
 *
 * ipc with op CHAOS_IPC_RELEASE releases as well. PARENT_DOWN releases, makes all delays end, and goes on down when all
 * is answered: GlusterFS takes a graph apart as soon as its lowest layer says that it is down.
 *
 * `early-thread` keeps the winder in its wind for as long as the child takes: below it belong children that answer
 * within the wind, or from threads that are not the winder's. */
#include "chaos.h"
#include "pool.h"

#include <stdlib.h>
#include <time.h>

#define PATIENCE_NS 2000000000ULL
#define STACK_SIZE (8UL << 20)

static const char *const mode_names[CHAOS_MODES] = {
    [CHAOS_SYNC] = "sync",   [CHAOS_THREAD] = "thread", [CHAOS_LATE] = "late",   [CHAOS_EARLY] = "early-thread",
    [CHAOS_ORDER] = "order", [CHAOS_ERROR] = "error",   [CHAOS_NEVER] = "never",
};

static const int32_t errors[] = {EIO, ENOENT, EACCES, ENOSPC, ENOTCONN, ESTALE, EDQUOT, EROFS, EINVAL};

struct passage {
    enum chaos_mode mode;
    /* CHAOS_EARLY only; under early_lock. */
    int users;       /* the winder, and whoever unwinds */
    bool started, returned;
    xlator_t *this;
    struct call *reply;
};

struct chaos {
    uint64_t seed, delay_ns;
    int64_t after;
    int64_t weights[CHAOS_MODES], total;
    struct passage plain[CHAOS_MODES]; /* the passages of all modes but CHAOS_EARLY */
    gf_atomic_t wound, answered, draws, overstayed;
    gf_atomic_t picked[CHAOS_MODES];
    struct pool pool;
    pthread_mutex_t early_lock;
    pthread_cond_t early_change;
    int early_threads;
    pthread_mutex_t never_lock;
    struct list_head never;
    bool released;
};

/* Inside an unwind that an early thread gives: what is wound from there must not wait for another thread's unwind to
 * return, or a chain of a thousand winds would need a thousand threads at once. */
static __thread bool on_early_thread;

/* splitmix64 of a counter: random, repeatable, and needs no lock. */
static uint64_t
mix(uint64_t seed, uint64_t counter)
{
    uint64_t z = seed + counter * 0x9e3779b97f4a7c15ULL;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

/* For all but the picks, which must not depend on when replies come. */
static uint64_t
draw(struct chaos *chaos)
{
    return mix(~chaos->seed, GF_ATOMIC_INC(chaos->draws));
}

static enum chaos_mode
pick(struct chaos *chaos)
{
    int64_t number = GF_ATOMIC_INC(chaos->wound);

    if (number <= chaos->after || chaos->total <= 0)
        return CHAOS_SYNC;
    int64_t left = mix(chaos->seed, number) % chaos->total;
    for (int mode = 0; mode < CHAOS_MODES; mode++) {
        left -= chaos->weights[mode];
        if (left < 0)
            return mode;
    }
    return CHAOS_SYNC;
}

struct passage *
chaos_begin(xlator_t *this)
{
    struct chaos *chaos = this->private;
    enum chaos_mode mode = pick(chaos);

    GF_ATOMIC_INC(chaos->picked[mode]);
    if (mode != CHAOS_EARLY)
        return &chaos->plain[mode];
    struct passage *passage = xl_alloc(sizeof *passage);
    passage->mode = mode;
    passage->users = 2;
    passage->this = this;
    return passage;
}

enum chaos_mode
chaos_mode(const struct passage *passage)
{
    return passage->mode;
}

static void
leave_passage(struct chaos *chaos, struct passage *passage)
{
    pthread_mutex_lock(&chaos->early_lock);
    bool last = --passage->users == 0;
    pthread_mutex_unlock(&chaos->early_lock);
    if (last)
        free(passage);
}

/* Until another thread has unwound, or has begun to where waiting longer is not for us. */
static void
await_unwind(xlator_t *this, struct passage *passage)
{
    struct chaos *chaos = this->private;
    uint64_t until = pool_now() + PATIENCE_NS;
    struct timespec deadline = {.tv_sec = until / 1000000000ULL, .tv_nsec = until % 1000000000ULL};
    int error = 0;

    pthread_mutex_lock(&chaos->early_lock);
    while (!error && !(on_early_thread ? passage->started : passage->returned))
        error = pthread_cond_timedwait(&chaos->early_change, &chaos->early_lock, &deadline);
    pthread_mutex_unlock(&chaos->early_lock);
    if (error)
        GF_ATOMIC_INC(chaos->overstayed);
}

void
chaos_end(xlator_t *this, struct passage *passage)
{
    if (passage->mode != CHAOS_EARLY)
        return;
    await_unwind(this, passage);
    leave_passage(this->private, passage);
}

static void
change_passage(struct chaos *chaos, bool *flag)
{
    pthread_mutex_lock(&chaos->early_lock);
    *flag = true;
    pthread_cond_broadcast(&chaos->early_change);
    pthread_mutex_unlock(&chaos->early_lock);
}

static void *
unwind_early(void *data)
{
    struct passage *passage = data;
    struct chaos *chaos = passage->this->private;

    on_early_thread = true;
    change_passage(chaos, &passage->started);
    call_run(passage->reply);
    change_passage(chaos, &passage->returned);
    leave_passage(chaos, passage);
    pthread_mutex_lock(&chaos->early_lock);
    chaos->early_threads--;
    pthread_cond_broadcast(&chaos->early_change);
    pthread_mutex_unlock(&chaos->early_lock);
    return NULL;
}

/* A thread for each, since the threads of the pool may all be winders that wait. */
static void
answer_early(xlator_t *this, struct passage *passage, struct call *reply)
{
    struct chaos *chaos = this->private;
    pthread_t thread;

    passage->reply = reply;
    pthread_mutex_lock(&chaos->early_lock);
    chaos->early_threads++;
    pthread_mutex_unlock(&chaos->early_lock);
    if (pool_thread(&thread, STACK_SIZE, "xl-chaos-early", unwind_early, passage) != 0)
        unwind_early(passage);
    else
        pthread_detach(thread);
}

void
chaos_answered(xlator_t *this)
{
    struct chaos *chaos = this->private;

    GF_ATOMIC_INC(chaos->answered);
}

/* Replies of one window of time go together, in random order: the due times differ by less than the window. */
static uint64_t
end_of_window(struct chaos *chaos)
{
    uint64_t window = chaos->delay_ns + 1;

    return (pool_now() / window + 1) * window + draw(chaos) % 1000;
}

void
chaos_answer(xlator_t *this, struct passage *passage, struct call *reply)
{
    struct chaos *chaos = this->private;

    reply->count = &chaos->answered;
    if (passage->mode == CHAOS_EARLY)
        answer_early(this, passage, reply);
    else if (passage->mode == CHAOS_LATE)
        pool_push(&chaos->pool, reply, pool_now() + draw(chaos) % (chaos->delay_ns + 1));
    else if (passage->mode == CHAOS_ORDER)
        pool_push(&chaos->pool, reply, end_of_window(chaos));
    else
        pool_push(&chaos->pool, reply, 0);
}

int32_t
chaos_error(xlator_t *this)
{
    struct chaos *chaos = this->private;

    GF_ATOMIC_INC(chaos->answered);
    return errors[draw(chaos) % (sizeof errors / sizeof *errors)];
}

void
chaos_hold(xlator_t *this, struct call *reply)
{
    struct chaos *chaos = this->private;

    reply->count = &chaos->answered;
    pthread_mutex_lock(&chaos->never_lock);
    bool released = chaos->released;
    if (!released)
        list_add_tail(&reply->list, &chaos->never);
    pthread_mutex_unlock(&chaos->never_lock);
    if (released)
        pool_push(&chaos->pool, reply, 0);
}

static void
set_released(struct chaos *chaos, bool released)
{
    struct list_head held;
    struct call *reply = NULL, *next = NULL;

    INIT_LIST_HEAD(&held);
    pthread_mutex_lock(&chaos->never_lock);
    chaos->released = released;
    if (released)
        list_splice_init(&chaos->never, &held);
    pthread_mutex_unlock(&chaos->never_lock);
    list_for_each_entry_safe(reply, next, &held, list)
    {
        list_del_init(&reply->list);
        pool_push(&chaos->pool, reply, 0);
    }
}

void
chaos_release(xlator_t *this)
{
    set_released(this->private, true);
}

static void
read_weights(struct chaos *chaos, dict_t *options)
{
    int64_t others = 0;

    for (int mode = CHAOS_SYNC + 1; mode < CHAOS_MODES; mode++) {
        chaos->weights[mode] = max(xl_option_number(options, mode_names[mode], 0), 0);
        others += chaos->weights[mode];
    }
    chaos->weights[CHAOS_SYNC] = max(xl_option_number(options, mode_names[CHAOS_SYNC], 100 - others), 0);
    chaos->total = others + chaos->weights[CHAOS_SYNC];
}

static int32_t
chaos_reconfigure(xlator_t *this, dict_t *options)
{
    struct chaos *chaos = this->private;

    chaos->seed = xl_option_number(options, "seed", 1);
    chaos->delay_ns = max(xl_option_number(options, "delay", 10), 0) * 1000000ULL;
    chaos->after = xl_option_number(options, "after", 0);
    read_weights(chaos, options);
    set_released(chaos, xl_option_switch(options, "release", false));
    return 0;
}

static void
init_locks(struct chaos *chaos)
{
    pthread_condattr_t attr;

    pthread_mutex_init(&chaos->never_lock, NULL);
    pthread_mutex_init(&chaos->early_lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&chaos->early_change, &attr);
    pthread_condattr_destroy(&attr);
}

static int32_t
chaos_init(xlator_t *this)
{
    if (!this->children || this->children->next) {
        gf_msg(this->name, GF_LOG_ERROR, EINVAL, 0, "chaos needs exactly one subvolume");
        return -1;
    }
    struct chaos *chaos = xl_alloc(sizeof *chaos);
    int threads = max(xl_option_number(this->options, "threads", 4), 1);
    int error = pool_start(&chaos->pool, threads, STACK_SIZE, "xl-chaos");
    if (error) {
        gf_msg(this->name, GF_LOG_ERROR, error, 0, "no threads");
        free(chaos);
        return -1;
    }
    init_locks(chaos);
    INIT_LIST_HEAD(&chaos->never);
    for (int mode = 0; mode < CHAOS_MODES; mode++)
        chaos->plain[mode].mode = mode;
    this->private = chaos;
    return chaos_reconfigure(this, this->options);
}

static void
await_early_threads(struct chaos *chaos)
{
    pthread_mutex_lock(&chaos->early_lock);
    while (chaos->early_threads > 0)
        pthread_cond_wait(&chaos->early_change, &chaos->early_lock);
    pthread_mutex_unlock(&chaos->early_lock);
}

static void
log_counts(xlator_t *this)
{
    struct chaos *chaos = this->private;
    char text[256] = "";
    size_t used = 0;

    for (int mode = 0; mode < CHAOS_MODES; mode++)
        used += snprintf(text + used, sizeof text - used, " %s=%" PRId64, mode_names[mode],
                         (int64_t)GF_ATOMIC_GET(chaos->picked[mode]));
    gf_msg(this->name, GF_LOG_INFO, 0, 0, "wound=%" PRId64 " answered=%" PRId64 " overstayed=%" PRId64 "%s",
           (int64_t)GF_ATOMIC_GET(chaos->wound), (int64_t)GF_ATOMIC_GET(chaos->answered),
           (int64_t)GF_ATOMIC_GET(chaos->overstayed), text);
}

static void
chaos_fini(xlator_t *this)
{
    struct chaos *chaos = this->private;

    if (!chaos)
        return;
    set_released(chaos, true);
    pool_stop(&chaos->pool);
    await_early_threads(chaos);
    log_counts(this);
    this->private = NULL;
    pthread_cond_destroy(&chaos->early_change);
    pthread_mutex_destroy(&chaos->early_lock);
    pthread_mutex_destroy(&chaos->never_lock);
    free(chaos);
}

static void
await_answers(struct chaos *chaos)
{
    uint64_t until = pool_now() + PATIENCE_NS;

    while (GF_ATOMIC_GET(chaos->answered) < GF_ATOMIC_GET(chaos->wound) && pool_now() < until)
        usleep(1000);
}

static int
chaos_notify(xlator_t *this, int32_t event, void *data, ...)
{
    struct chaos *chaos = this->private;

    if (event == GF_EVENT_PARENT_DOWN && chaos) {
        set_released(chaos, true);
        pool_hurry(&chaos->pool);
        await_answers(chaos);
    }
    return default_notify(this, event, data);
}

static int32_t
chaos_dump(xlator_t *this)
{
    struct chaos *chaos = this->private;

    gf_proc_dump_add_section("xlator.tests.chaos.%s", this->name);
    gf_proc_dump_write("wound", "%" PRId64, (int64_t)GF_ATOMIC_GET(chaos->wound));
    gf_proc_dump_write("answered", "%" PRId64, (int64_t)GF_ATOMIC_GET(chaos->answered));
    gf_proc_dump_write("overstayed", "%" PRId64, (int64_t)GF_ATOMIC_GET(chaos->overstayed));
    for (int mode = 0; mode < CHAOS_MODES; mode++)
        gf_proc_dump_write((char *)mode_names[mode], "%" PRId64, (int64_t)GF_ATOMIC_GET(chaos->picked[mode]));
    return 0;
}

static struct xlator_cbks cbks;
static struct xlator_dumpops dumpops = {.priv = chaos_dump};

XL_EXPORT xlator_api_t xlator_api = {
    .identifier = "chaos",
    .category = GF_EXPERIMENTAL,
    .op_version = {1},
    .init = chaos_init,
    .fini = chaos_fini,
    .reconfigure = chaos_reconfigure,
    .notify = chaos_notify,
    .fops = &chaos_fops,
    .cbks = &cbks,
    .dumpops = &dumpops,
};
