/* What an instance counts: its calls by fop, how they ended, and the time they took.
 *
 * Whoever reads (report.c) does so at any moment and without the interpreter, and some is written without it: so all are
 * atomics, each right by itself. A call that has ended is never counted before one that has begun. */
#ifndef GLUPY_STATS_H
#define GLUPY_STATS_H

#include <stdatomic.h>

#include "python/thread.h"
#include "python/ticks.h"
#include "values/fops_gen.h"

typedef _Atomic uint64_t glupy_counter;

/* How often a fop was answered with an errno; one for each that was seen. They stay until the instance goes. A child may
 * send whatever it likes: of errnos that the system does not know the first few are told apart, the rest is counted as
 * GLUPY_OTHER_ERRNO. */
#define GLUPY_OTHER_ERRNO INT32_MIN

struct glupy_errno_count {
    int32_t op_errno;
    glupy_counter count;
    struct glupy_errno_count *next;
};

enum glupy_end {
    GLUPY_SUCCEEDED, /* unwound with op_ret >= 0; a task: ended without an exception */
    GLUPY_FAILED,    /* unwound with op_ret < 0; a task: ended with an exception */
    GLUPY_PASSED_ON, /* tail winds: how they ended is not known here */
    GLUPY_CANCELLED, /* tasks that were closed */
    GLUPY_ENDS
};

struct glupy_fop_stats {
    glupy_counter calls;      /* entered, whatever became of them */
    glupy_counter refused;    /* answered with an errno without having reached Python: no memory, Python gone */
    glupy_counter ended[GLUPY_ENDS];
    glupy_counter exceptions; /* failures of the translator's code: what is in the log with a traceback */
    glupy_counter python;     /* ticks inside the interpreter */
    glupy_counter waiting;    /* ticks between beginning and answer that were not inside; of answered ones */
    _Atomic(struct glupy_errno_count *) errnos;
};

struct glupy_stats {
    struct glupy_fop_stats fops[GLUPY_FOP_COUNT];
    struct glupy_fop_stats tasks; /* background tasks */
    glupy_counter records_written; /* of a glupy.Writer: in the file */
    glupy_counter records_dropped; /* and those that never got there */
    glupy_counter arriving;       /* threads that wait for the interpreter for the first time */
};

/* In a request: the time that it has taken, in ticks. */
struct glupy_timing {
    struct glupy_fop_stats *of; /* what it is counted with */
    uint64_t began;  /* its first step began; 0: it has not */
    uint64_t since;  /* the latest step began, or ended */
    uint64_t python; /* in its steps so far */
};

/* What a thread is doing for a request; what was before is put back afterwards, since Python may call GlusterFS and we
 * come in again. */
struct glupy_activity {
    const struct glupy_stats *stats; /* NULL: nothing; only ever compared, it may be gone */
    const struct glupy_fop *fop;     /* NULL: a task */
    uint64_t since;                  /* ticks; 0: it waits for the interpreter */
};

/* What a fop's calls are counted with; NULL: tasks. */
static inline struct glupy_fop_stats *
glupy_stats_of(struct glupy_stats *stats, const struct glupy_fop *fop)
{
    return fop ? &stats->fops[fop->index] : &stats->tasks;
}

/* Frees what the counters have allocated. */
void glupy_stats_clear(struct glupy_stats *stats);

/* A call came in, or a task begins. */
void glupy_stats_called(struct glupy_fop_stats *of);

/* Not attached. It was answered with an errno without Python. */
void glupy_stats_refused(struct glupy_fop_stats *of);

/* Attached. The translator's code failed. */
void glupy_stats_exception(struct glupy_fop_stats *of);

/* Attached, in its last step. How a fop ends is decided; `op_errno` is that of a failed one. */
void glupy_stats_answered(struct glupy_timing *timing, enum glupy_end how, int32_t op_errno);

/* The same of a task. */
void glupy_stats_ended(struct glupy_timing *timing, enum glupy_end how);

/* Attached. Records of a Writer have got into their file, or will never. */
void glupy_stats_records(struct glupy_stats *stats, uint64_t written, uint64_t dropped);

/* Not attached. The thread is going to enter Python for it (`fop` is NULL for a task); what it did before. */
struct glupy_activity glupy_stats_enters(struct glupy_thread *thread, const struct glupy_stats *stats,
                                         const struct glupy_fop *fop);

/* Not attached. It has left. */
void glupy_stats_left(struct glupy_thread *thread, const struct glupy_activity *before);

/* Attached. A step begins, and ends; not called for the end of the step in which it was answered. */
void glupy_stats_step_begins(struct glupy_thread *thread, struct glupy_timing *timing);
void glupy_stats_step_ends(struct glupy_timing *timing);

#endif
