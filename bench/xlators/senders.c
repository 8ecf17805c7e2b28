/* Threads that begin and end together, and the loop in which they send fops. */
#include "driver.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

static uint64_t
now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* --- threads --- */

struct shared {
    struct bench_team *team;
    pthread_barrier_t begin, end;
    atomic_int error;
    atomic_uint next;
    struct times *times; /* of each */
};

/* Each thread reads the clocks itself: the one that waits for them all may be woken late. */
struct times {
    uint64_t wall[2], cpu[2];
};

static void
read_clocks(struct times *times, int end)
{
    times->wall[end] = now(CLOCK_MONOTONIC);
    times->cpu[end] = now(CLOCK_PROCESS_CPUTIME_ID);
}

/* Called before and after what is measured: instructions are counted from one call to the next (instructions.py). callgrind
 * notices when a function begins, but not for sure when it ends, where it calls what goes to another stack. */
__attribute__((noinline, noclone, used)) void
bench_mark(void)
{
    __asm__ volatile("");
}

static void *
member(void *arg)
{
    struct shared *shared = arg;
    struct bench_team *team = shared->team;
    unsigned number = atomic_fetch_add(&shared->next, 1);
    void *self = team->members + number * team->member_size;
    int error = team->setup(self);

    if (error)
        atomic_store(&shared->error, error);
    pthread_barrier_wait(&shared->begin);
    read_clocks(&shared->times[number], 0);
    bench_mark();
    if (!atomic_load(&shared->error))
        team->body(self);
    bench_mark();
    read_clocks(&shared->times[number], 1);
    pthread_barrier_wait(&shared->end); /* teardown is not to be measured */
    if (!error)
        team->teardown(self);
    return NULL;
}

static void
start_members(struct shared *shared, pthread_t *threads)
{
    struct bench_run *run = shared->team->run;
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, run->stack_size);
    for (unsigned i = 0; i < run->threads; i++)
        if (pthread_create(&threads[i], &attr, member, shared) != 0)
            abort(); /* the others wait at the barrier for this one */
    pthread_attr_destroy(&attr);
}

/* From the first thread's start to the last one's end. */
static void
sum_up(struct bench_run *run, const struct times *times)
{
    struct times all = times[0];

    for (unsigned i = 1; i < run->threads; i++) {
        all.wall[0] = min(all.wall[0], times[i].wall[0]);
        all.cpu[0] = min(all.cpu[0], times[i].cpu[0]);
        all.wall[1] = max(all.wall[1], times[i].wall[1]);
        all.cpu[1] = max(all.cpu[1], times[i].cpu[1]);
    }
    run->wall = all.wall[1] - all.wall[0];
    run->cpu = all.cpu[1] - all.cpu[0];
}

int
bench_team_run(struct bench_team *team)
{
    struct bench_run *run = team->run;
    pthread_t threads[run->threads];
    struct times times[run->threads];
    struct shared shared = {.team = team, .times = times};

    pthread_barrier_init(&shared.begin, NULL, run->threads);
    pthread_barrier_init(&shared.end, NULL, run->threads);
    start_members(&shared, threads);
    for (unsigned i = 0; i < run->threads; i++)
        pthread_join(threads[i], NULL);
    sum_up(run, times);
    pthread_barrier_destroy(&shared.begin);
    pthread_barrier_destroy(&shared.end);
    return atomic_load(&shared.error);
}

/* --- what a sender sends --- */

struct sending {
    struct bench_sender sender;
    struct bench_run *run;
    unsigned number;
};

static inode_table_t *
table_above(xlator_t *this)
{
    while (this && !this->itable)
        this = this->parents ? this->parents->xlator : NULL;
    return this ? this->itable : NULL;
}

/* An inode in the table, below the root. The end of its gfid is the sender's number, so that layers which go by it have
 * the same share of senders in each run. */
static inode_t *
known_inode(inode_table_t *table, const char *name, ia_type_t type, unsigned number)
{
    uint32_t last = htobe32(number);
    inode_t *fresh = inode_new(table), *linked;
    struct iatt buf = {.ia_type = type, .ia_prot = ia_prot_from_st_mode(0644), .ia_nlink = 1};

    gf_uuid_generate(buf.ia_gfid);
    memcpy(buf.ia_gfid + 12, &last, sizeof(last));
    linked = inode_link(fresh, table->root, name, &buf);
    inode_unref(fresh);
    return linked;
}

/* Takes over the inode. */
static void
fill_loc(loc_t *loc, inode_table_t *table, inode_t *inode, const char *path)
{
    loc->path = gf_strdup(path);
    loc->name = loc->path + 1;
    loc->inode = inode;
    loc->parent = inode_ref(table->root);
    gf_uuid_copy(loc->gfid, inode->gfid);
    gf_uuid_copy(loc->pargfid, table->root->gfid);
}

static fd_t *
open_fd(inode_t *inode)
{
    fd_t *fd = fd_create(inode, getpid());

    fd_bind(fd);
    return fd;
}

static void
fill_vector(struct bench_sender *sender)
{
    struct iobuf *iobuf = iobuf_get2(sender->top->ctx->iobuf_pool, 131072);

    sender->iobref = iobref_new();
    iobref_add(sender->iobref, iobuf);
    sender->vector = (struct iovec){iobuf_ptr(iobuf), sender->fop->size};
    iobuf_unref(iobuf);
}

static void
teardown(void *member)
{
    struct bench_sender *sender = &((struct sending *)member)->sender;

    loc_wipe(&sender->file);
    loc_wipe(&sender->missing);
    loc_wipe(&sender->fresh);
    loc_wipe(&sender->directory);
    fd_unref(sender->fd);
    fd_unref(sender->fresh_fd);
    fd_unref(sender->directory_fd);
    dict_unref(sender->xdata);
    iobref_unref(sender->iobref);
    sem_destroy(&sender->all_back);
}

void
bench_answered(call_frame_t *frame, struct bench_sender *sender, int32_t op_ret, int32_t op_errno, int32_t expected)
{
    if (op_ret < 0 && (op_errno != expected || !expected))
        atomic_store(&sender->error, op_errno ? op_errno : EIO);
    STACK_DESTROY(frame->root);
    if (atomic_fetch_sub(&sender->left, 1) == 1)
        sem_post(&sender->all_back);
}

static void
send_one(struct bench_sender *sender)
{
    call_frame_t *frame = create_frame(sender->top, sender->top->ctx->pool);

    frame->root->op = sender->fop->op;
    frame->root->uid = frame->root->gid = 1000;
    frame->root->pid = 4242;
    sender->fop->send(sender, frame);
}

/* The sender counts as one of the batch until it has sent all of it, so that the batch does not end before. */
static void
send_batch(struct bench_sender *sender, unsigned window)
{
    atomic_store(&sender->left, window + 1);
    for (unsigned i = 0; i < window; i++)
        send_one(sender);
    if (atomic_fetch_sub(&sender->left, 1) == 1)
        return; /* all answered at once */
    while (sem_wait(&sender->all_back) != 0)
        continue;
}

static int
setup(void *member)
{
    struct sending *sending = member;
    struct bench_sender *sender = &sending->sender;
    inode_table_t *table = table_above(sender->top);
    char path[32], missing[32];

    THIS = sender->top;
    snprintf(path, sizeof(path), "/file%u", sending->number);
    snprintf(missing, sizeof(missing), "/new%u", sending->number);
    fill_loc(&sender->file, table, known_inode(table, path + 1, IA_IFREG, sending->number), path);
    fill_loc(&sender->missing, table, inode_new(table), missing);
    fill_loc(&sender->fresh, table, inode_new(table), "/created");
    gf_uuid_generate(sender->fresh.gfid);
    fill_loc(&sender->directory, table, known_inode(table, "dir", IA_IFDIR, 0), "/dir");
    sender->fd = open_fd(sender->file.inode);
    sender->fresh_fd = fd_create(sender->fresh.inode, getpid());
    sender->directory_fd = open_fd(sender->directory.inode);
    sender->xdata = dict_new();
    if (!sender->xdata || dict_set_uint32(sender->xdata, "bench", 1) != 0)
        return ENOMEM;
    fill_vector(sender);
    sem_init(&sender->all_back, 0, 0);
    /* Thread states, private stacks, pools of memory: all that a thread gets once. */
    for (unsigned i = 0; i < sending->run->warm_up; i++)
        send_batch(sender, 1);
    return 0;
}

static void
send_all(void *member)
{
    struct sending *sending = member;
    unsigned window = sending->run->window;

    for (uint64_t sent = 0; sent < sending->run->count; sent += window)
        send_batch(&sending->sender, window);
}

int
bench_send(xlator_t *top, const struct bench_fop *fop, struct bench_run *run)
{
    struct sending *sending = calloc(run->threads, sizeof(*sending));
    struct bench_team team = {.run = run,
                              .setup = setup,
                              .body = send_all,
                              .teardown = teardown,
                              .members = (char *)sending,
                              .member_size = sizeof(*sending)};
    int error;

    if (!sending)
        return ENOMEM;
    run->count -= run->count % run->window;
    for (unsigned i = 0; i < run->threads; i++) {
        sending[i].run = run;
        sending[i].number = i;
        sending[i].sender.top = top;
        sending[i].sender.fop = fop;
    }
    error = bench_team_run(&team);
    for (unsigned i = 0; i < run->threads && !error; i++)
        error = atomic_load(&sending[i].sender.error);
    free(sending);
    return error;
}
