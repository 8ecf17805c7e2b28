/* The end of a graph. See graph_end.h. */
#include "lifecycle/graph_end.h"

#include "instance/replicas.h"
#include "lifecycle/lifecycle.h"
#include "python/aside.h"
#include "python/clock.h"
#include "python/main_thread.h"
#include "request/request.h"
#include "values/drops_queue.h"
#include "values/holders.h"

#define PATIENCE 10u        /* seconds */
#define LOOK_EVERY 2000000u /* nanoseconds */

static struct {
    pthread_mutex_t lock;
    struct list_head primaries; /* glupy_life.link */
} known = {.lock = PTHREAD_MUTEX_INITIALIZER, .primaries = {&known.primaries, &known.primaries}};

void
glupy_graph_joined(struct glupy_instance *primary)
{
    pthread_mutex_lock(&known.lock);
    list_add_tail(&primary->life.link, &known.primaries);
    pthread_mutex_unlock(&known.lock);
}

void
glupy_graph_up(struct glupy_instance *primary)
{
    pthread_mutex_lock(&known.lock);
    primary->life.up = true;
    pthread_mutex_unlock(&known.lock);
}

struct glupy_instance *
glupy_graph_stranded(const glusterfs_graph_t *graph)
{
    struct glupy_instance *primary, *found = NULL;

    pthread_mutex_lock(&known.lock);
    list_for_each_entry(primary, &known.primaries, life.link)
    {
        if (!primary->life.up && primary->life.graph == graph) {
            found = primary;
            break;
        }
    }
    if (found)
        list_del_init(&found->life.link);
    pthread_mutex_unlock(&known.lock);
    return found;
}

void
glupy_graph_left(struct glupy_instance *primary)
{
    pthread_mutex_lock(&known.lock);
    list_del_init(&primary->life.link);
    pthread_mutex_unlock(&known.lock);
}

bool
glupy_graph_is_left(const glusterfs_graph_t *graph)
{
    struct glupy_instance *primary;
    bool left = true;

    pthread_mutex_lock(&known.lock);
    list_for_each_entry(primary, &known.primaries, life.link)
    {
        left = left && !(primary->life.up && primary->life.graph == graph);
    }
    pthread_mutex_unlock(&known.lock);
    return left;
}

void
glupy_graphs_each(bool (*fn)(struct glupy_instance *primary, void *arg), void *arg)
{
    struct glupy_instance *primary;

    pthread_mutex_lock(&known.lock);
    list_for_each_entry(primary, &known.primaries, life.link)
    {
        if (primary->life.up && !fn(primary, arg))
            break;
    }
    pthread_mutex_unlock(&known.lock);
}

bool
glupy_graphs_are_kept(const glusterfs_ctx_t *ctx)
{
    xlator_t *top = ctx->root;

    return top && strcmp(top->type, "mount/fuse") == 0;
}

/* Our translators of one graph */

struct members {
    struct glupy_instance **list;
    unsigned count;
    bool passed; /* all of them */
};

/* The graph is that of `one`. GlusterFS takes its translators away one after another, after this. */
static struct members
members_of(struct glupy_instance *one)
{
    struct members members = {.passed = true};
    struct glupy_instance *primary;
    unsigned room = 0;

    pthread_mutex_lock(&known.lock);
    list_for_each_entry(primary, &known.primaries, life.link)
    {
        room++;
    }
    members.list = calloc(room ? room : 1, sizeof(struct glupy_instance *));
    list_for_each_entry(primary, &known.primaries, life.link)
    {
        if (!members.list || !primary->life.up || primary->life.graph != one->life.graph)
            continue;
        members.list[members.count++] = primary;
        members.passed = members.passed && primary->life.passed;
    }
    pthread_mutex_unlock(&known.lock);
    return members;
}

/* Emptying */

/* A call that Python is at may have come with arguments in its caller's memory. Under the interpreter's lock, which the thread
 * needs for going on. */
static void
own_arguments(struct glupy_thread *thread, void *arg)
{
    struct glupy_request *request = thread->stepping;

    if (request && request->instance == arg && request->fop && request->arrival.started)
        request->instance->flavour->own(request);
}

static void
let_go_of(struct glupy_instance *self, inode_table_t *table, bool alive)
{
    if (!table || glupy_table_ends(self->state, table))
        return;
    glupy_table_ending(self->state, table, self->this->graph);
    glupy_threads_each(own_arguments, self);
    glupy_holders_let_go(self->state, table, alive);
}

/* GlusterFS forgets a table that an xlator has, or marks the xlator, before it frees it. */
static bool
is_there(const xlator_t *this, const inode_table_t *table)
{
    for (xlator_t *any = this->graph ? this->graph->first : NULL; any; any = any->next)
        if (any->itable == table)
            return !any->call_cleanup;
    return false;
}

bool
glupy_graph_empty(struct glupy_instance *self)
{
    if (self->state->away)
        return false;
    self->life.emptied = true;
    let_go_of(self, self->table, is_there(self->this, self->table));
    for (xlator_t *any = self->this->graph ? self->this->graph->first : NULL; any; any = any->next)
        let_go_of(self, any->itable, !any->call_cleanup);
    self->table = NULL;
    return true;
}

struct emptying {
    struct glupy_instance *instance; /* a reference of the instance's own, which stays */
    bool done;
};

static void
empty_attached(void *arg)
{
    struct emptying *call = arg;

    call->done = !call->instance->this || glupy_graph_empty(call->instance);
}

static const struct timespec moment = {.tv_nsec = LOOK_EVERY};

/* False when it could not be done in time. */
static bool
empty(struct glupy_instance *replica, uint64_t until)
{
    bool done = false;

    while (!done) {
        struct emptying *call = calloc(1, sizeof(*call));

        if (!call)
            return false;
        call->instance = replica;
        if (!glupy_aside(PATIENCE, replica->state->interpreter, empty_attached, call, free))
            return false;
        done = call->done;
        free(call);
        if (done || glupy_now() > until)
            break;
        nanosleep(&moment, NULL);
    }
    return done;
}

/* Waiting for the requests inside, and for fini() */

struct look {
    struct glupy_instance *instance;
    bool ended;
};

static void
look_attached(void *arg)
{
    struct look *look = arg;

    look->ended = look->instance->life.ended;
}

/* The main thread has been told that PARENT_DOWN has gone by: fini() is called there when no request is inside. */
static bool
wait_for_fini(struct glupy_instance *replica, uint64_t until)
{
    bool ended = false;

    while (!ended) {
        struct look *look = calloc(1, sizeof(*look));

        if (!look)
            return false;
        look->instance = replica;
        if (!glupy_main_call_within(PATIENCE, replica->state->interpreter, "fini()", look_attached, look, free))
            return false;
        ended = look->ended;
        free(look);
        if (ended || glupy_now() > until)
            break;
        nanosleep(&moment, NULL);
    }
    return ended;
}

static void
end_tables(struct members *members)
{
    uint64_t until = glupy_now() + PATIENCE * UINT64_C(1000000000);
    struct glupy_instance *replica;

    for (unsigned i = 0; i < members->count; i++)
        glupy_for_each_replica(replica, members->list[i])
            if (!wait_for_fini(replica, until))
                gf_msg(members->list[i]->this->name, GF_LOG_ERROR, 0, 0,
                       "the graph goes, and after %u seconds there is still a fop or a hook inside", PATIENCE);
    for (unsigned i = 0; i < members->count; i++)
        glupy_for_each_replica(replica, members->list[i])
            if (!empty(replica, until))
                gf_msg(members->list[i]->this->name, GF_LOG_ERROR, 0, 0,
                       "the graph goes, and after %u seconds a thread is still at work on its inodes", PATIENCE);
    if (!glupy_drops_settle(PATIENCE))
        gf_msg(members->list[0]->this->name, GF_LOG_ERROR, 0, 0,
               "references that Python gave up are still being released after %u seconds", PATIENCE);
}

/* libgfapi goes over to a new graph: it calls nobody's fini() in the old one, which is freed with its context. */
static bool
is_left_behind(const xlator_t *this)
{
    xlator_t *top = this->ctx->root;

    return top && strcmp(top->type, "mount/api") == 0 && this->graph != this->ctx->active;
}

void
glupy_graph_passed(struct glupy_instance *primary)
{
    struct members members;
    bool left_behind;

    if (glupy_graphs_are_kept(primary->this->ctx))
        return;
    pthread_mutex_lock(&known.lock);
    primary->life.passed = true;
    pthread_mutex_unlock(&known.lock);
    members = members_of(primary);
    if (members.passed && members.count) {
        left_behind = is_left_behind(primary->this);
        end_tables(&members);
        for (unsigned i = 0; left_behind && i < members.count; i++)
            glupy_fini(members.list[i]->this);
    }
    free(members.list);
}
