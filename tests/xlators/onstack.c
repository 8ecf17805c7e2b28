/* onstack: moves every fop to another kind of stack before it winds on, and every reply before it unwinds, so that a
 * layer below (or above) runs where GlusterFS may run it.
 *
 * Options:
 *   stack      where fops are wound from (default synctask):
 *     synctask     a synctask with the environment's stack, 2 MiB of heap
 *     synctask16   a synctask of 16 KiB, as features/marker of GlusterFS 10 makes
 *     io-thread    a thread of 256 KiB, as performance/io-threads has
 *     pthread      a thread of 8 MiB
 *   cbk-stack  where replies are unwound from: the same, or `same` for the stack they came on (default)
 *   threads    threads of either kind (default 4) */
#include "onstack.h"
#include "pool.h"

#include <stdlib.h>

enum stack {
    STACK_SAME,
    STACK_SYNCTASK,
    STACK_SYNCTASK16,
    STACK_IO_THREAD,
    STACK_PTHREAD,
    STACKS,
};

/* size: of a synctask, where 0 is the environment's own, or of a thread. */
static const struct {
    const char *name;
    size_t size;
    bool thread;
} stacks[STACKS] = {
    [STACK_SAME] = {.name = "same"},
    [STACK_SYNCTASK] = {.name = "synctask"},
    [STACK_SYNCTASK16] = {.name = "synctask16", .size = 16UL << 10},
    [STACK_IO_THREAD] = {.name = "io-thread", .size = 256UL << 10, .thread = true},
    [STACK_PTHREAD] = {.name = "pthread", .size = 8UL << 20, .thread = true},
};

struct onstack {
    enum stack down, up;
    struct pool pools[STACKS];
    bool started[STACKS];
};

static int
run_in_task(void *data)
{
    call_run(data);
    return 0;
}

/* A task with no callback would make synctask_new wait for its end. */
static int
task_done(int ret, call_frame_t *frame, void *data)
{
    return 0;
}

/* The task gets a frame of its own, because it may outlive the fop's. */
static void
run_on_synctask(xlator_t *this, struct call *call, size_t size)
{
    if (synctask_new1(this->ctx->env, size, run_in_task, task_done, NULL, call) == 0)
        return;
    gf_msg(this->name, GF_LOG_ERROR, 0, 0, "no synctask: going on where we are");
    call_run(call);
}

static void
dispatch(xlator_t *this, struct call *call, enum stack stack)
{
    struct onstack *onstack = this->private;

    if (stack == STACK_SAME)
        call_run(call);
    else if (stacks[stack].thread)
        pool_push(&onstack->pools[stack], call, 0);
    else
        run_on_synctask(this, call, stacks[stack].size);
}

void
onstack_down(xlator_t *this, struct call *fop)
{
    struct onstack *onstack = this->private;

    dispatch(this, fop, onstack->down);
}

bool
onstack_same(xlator_t *this)
{
    struct onstack *onstack = this->private;

    return onstack->up == STACK_SAME;
}

void
onstack_up(xlator_t *this, struct call *reply)
{
    struct onstack *onstack = this->private;

    dispatch(this, reply, onstack->up);
}

/* 0, or -1 for a name that is none. */
static int
read_stack(xlator_t *this, const char *key, const char *missing, enum stack *stack)
{
    const char *name = xl_option(this->options, key, missing);

    for (int i = 0; i < STACKS; i++) {
        if (strcmp(stacks[i].name, name) == 0) {
            *stack = i;
            return 0;
        }
    }
    gf_msg(this->name, GF_LOG_ERROR, EINVAL, 0, "option %s: there is no stack %s", key, name);
    return -1;
}

static int
start_pool(xlator_t *this, enum stack stack)
{
    struct onstack *onstack = this->private;
    int threads = max(xl_option_number(this->options, "threads", 4), 1);

    if (!stacks[stack].thread || onstack->started[stack])
        return 0;
    int error = pool_start(&onstack->pools[stack], threads, stacks[stack].size, "xl-onstack");
    onstack->started[stack] = !error;
    return error;
}

static void
onstack_fini(xlator_t *this)
{
    struct onstack *onstack = this->private;

    for (int i = 0; onstack && i < STACKS; i++) {
        if (onstack->started[i])
            pool_stop(&onstack->pools[i]);
    }
    this->private = NULL;
    free(onstack);
}

static int32_t
onstack_init(xlator_t *this)
{
    if (!this->children || this->children->next) {
        gf_msg(this->name, GF_LOG_ERROR, EINVAL, 0, "onstack needs exactly one subvolume");
        return -1;
    }
    struct onstack *onstack = this->private = xl_alloc(sizeof *onstack);
    if (read_stack(this, "stack", "synctask", &onstack->down) == 0 &&
        read_stack(this, "cbk-stack", "same", &onstack->up) == 0 && start_pool(this, onstack->down) == 0 &&
        start_pool(this, onstack->up) == 0)
        return 0;
    onstack_fini(this);
    return -1;
}

static struct xlator_cbks cbks;

XL_EXPORT xlator_api_t xlator_api = {
    .identifier = "onstack",
    .category = GF_EXPERIMENTAL,
    .op_version = {1},
    .init = onstack_init,
    .fini = onstack_fini,
    .fops = &onstack_fops,
    .cbks = &cbks,
};
