/* The bench's driver: a translator that stands on top of what is measured and sends fops down in a tight loop, and the
 * Python module through which the bench tells it what to send. Both are one object file, which GlusterFS and Python
 * open.
 *
 * fops.c knows the fops, senders.c has the loop, floor.c drives coroutines without GlusterFS, driver.c is the
 * translator and the module. */
#ifndef BENCH_DRIVER_H
#define BENCH_DRIVER_H

#include <Python.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "../../src/core/base/gluster.h"

/* One thread that sends fops, and what it sends: made before the clock starts, the same for every fop. */
struct bench_sender {
    xlator_t *top;
    const struct bench_fop *fop;
    loc_t file, missing, fresh, directory; /* one that exists, one that does not, one to be created, a directory */
    fd_t *fd, *fresh_fd, *directory_fd;
    dict_t *xdata; /* for the fops that FUSE sends some with: lookup, open, create */
    struct iobref *iobref;
    struct iovec vector;

    atomic_uint left; /* of a batch, not answered yet; and one for the sender itself */
    sem_t all_back;
    atomic_int error; /* of a reply that should have been a success */
};

struct bench_fop {
    const char *name;
    glusterfs_fop_t op;
    size_t size; /* of reads and writes */
    void (*send)(struct bench_sender *sender, call_frame_t *frame);
};

/* The fop of this name (readv4k, lookup_missing, ...), or NULL. */
const struct bench_fop *bench_fop(const char *name);

/* A reply has come. `expected` is the errno that counts as success, or 0. */
void bench_answered(call_frame_t *frame, struct bench_sender *sender, int32_t op_ret, int32_t op_errno,
                    int32_t expected);

/* What is measured. All times in nanoseconds: from the first thread's start to the last one's end, and the CPU time of
 * the whole process meanwhile. */
struct bench_run {
    unsigned threads;
    uint64_t count;    /* for each thread */
    unsigned window;   /* how many a thread has under way at once */
    unsigned warm_up;  /* sent by each thread before the clock starts */
    size_t stack_size; /* of the threads */
    uint64_t wall, cpu;
};

/* Threads that begin together; setup and teardown are not measured, body is. */
struct bench_team {
    struct bench_run *run;
    int (*setup)(void *member);
    void (*body)(void *member);
    void (*teardown)(void *member);
    char *members; /* run->threads of them */
    size_t member_size;
};

/* Stands before and after what is measured of a member: its body. */
void bench_mark(void);

/* 0, or the errno that a setup returned. */
int bench_team_run(struct bench_team *team);

/* Send fops through what stands below a driver: 0, or an errno. Not attached to the interpreter. */
int bench_send(xlator_t *top, const struct bench_fop *fop, struct bench_run *run);

/* The module's function floor() and the type Child. */
PyObject *bench_floor(PyObject *module, PyObject *args, PyObject *kwargs);
PyObject *bench_floor_child_type(void);

#endif
