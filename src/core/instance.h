/* One translator in one graph: what stands behind an xlator_t of ours, and `Instance` in Python. */
#ifndef GLUPY_INSTANCE_H
#define GLUPY_INSTANCE_H

#include <pthread.h>
#include <stdatomic.h>

#include "fops_gen.h"
#include "rest.h"
#include "stats.h"
#include "thread.h"
#include "worker.h"

/* What GlusterFS tells besides fops, and what of it has not been passed on yet (hooks.c). */
enum glupy_hook {
    GLUPY_HOOK_FORGET,
    GLUPY_HOOK_RELEASE,
    GLUPY_HOOK_RELEASEDIR,
    GLUPY_HOOK_CLIENT_DISCONNECT,
    GLUPY_HOOK_CLIENT_DESTROY,
    GLUPY_HOOK_COUNT
};

struct glupy_hooks {
    PyObject *methods[GLUPY_HOOK_COUNT]; /* bound methods of those that the class defines, else NULL */
    struct glupy_context *first, **last; /* the queue; it and the next two under a mutex of hooks.c */
    unsigned inside;                     /* of the primary: threads of GlusterFS's that are in a callback */
    bool busy;                           /* a worker has the queue in hand */
    atomic_bool settled;                 /* of the primary: the inode table is about to go */
    bool ended;                          /* no hook is called any more */
    pthread_cond_t calm;                 /* neither inside nor busy */
    struct glupy_job job;
};

/* Of the replicas, on a step of a change of options (reconfigure.c). */
struct glupy_votes {
    unsigned count;  /* how many have voted */
    char *objection; /* the first, or NULL */
    char *outcome;   /* what it was when all had voted: stands until all have voted again */
};

struct glupy_instance {
    PyObject_HEAD
    xlator_t *this;              /* NULL once fini has run */
    struct glupy_state *state;
    struct glupy_instance **replicas; /* of the primary: one an interpreter, itself first (replicas.h) */
    unsigned nreplicas;          /* how many of them there are */
    unsigned wanted;             /* how many there shall be */
    bool replicated;             /* of all: there is more than one */
    struct glupy_instance *primary; /* of all: which of them it is */
    struct glupy_instance *itself; /* where replicas points to as long as there are no others */
    char *origin;                /* what a replica is made from, as bytes of Python's; of the primary, else NULL */
    size_t origin_size;
    PyObject *translator;        /* the author's object */
    PyObject *children;          /* tuple of Child */
    inode_table_t *table;        /* the inode table of its graph, once seen */
    PyObject *methods[GLUPY_FOP_COUNT]; /* bound methods of the fops that the class defines, else NULL */
    bool takes_call[GLUPY_FOP_COUNT];   /* the method is any_fop: called with (frame, Call) */
    bool offloaded[GLUPY_FOP_COUNT];    /* @offload: the method is called on a thread that it may block */
    struct xlator_fops *fops;    /* the primary's own table: our dispatcher where there is a method; else NULL */
    struct xlator_fops *default_fops;
    struct list_head background; /* requests of tasks, under the interpreter's lock */
    struct glupy_votes votes;    /* of the primary */
    pthread_mutex_t lock;        /* of busy, up, held, options_text, votes */
    pthread_cond_t calm;
    unsigned busy;               /* background tasks that have something wound */
    struct glupy_job *held, **last_held; /* tasks that wait for the first child to come up */
    char *options_text;          /* the options in force, a line NAME=VALUE each: for those without the interpreter */
    unsigned requests;           /* fops inside, under the interpreter's lock */
    bool up;                     /* a child has come up */
    bool going;                  /* the graph goes: no new background tasks */
    struct glupy_stats stats;
    struct glupy_resting resting;
    fop_getxattr_t getxattr;     /* what stands in the table beneath ours (sight.c) */
    fop_fgetxattr_t fgetxattr;
    bool down;                   /* PARENT_DOWN has gone by: fini() as soon as no request is left */
    bool ended;                  /* the author's fini() has been called: nothing of theirs is called any more */
    bool disabled;               /* option enabled off */
    bool hears;                  /* the class defines notify() */
    struct glupy_classic *classic; /* a module written for the first glupy (classic.h), else NULL */
    bool pass_on_error;          /* option on-error: wind the call on instead of answering EIO */
    struct list_head contexts;   /* of inodes and fds, under the interpreter's lock (context.c) */
    bool has_contexts;           /* there has been one */
    bool unchained;              /* of replicas: they are being dropped; under a mutex of context.c */
    PyObject *inode_factory;     /* class attribute inode_ctx, else NULL */
    PyObject *fd_factory;        /* class attribute fd_ctx, else NULL */
    struct glupy_hooks hooks;
    struct list_head watched;    /* watch.c's list */
    _Atomic uint64_t budget;     /* option budget, in nanoseconds; 0: none */
};

struct glupy_child {
    PyObject_HEAD
    struct glupy_instance *instance; /* a reference: the xlator lives as long as the instance has its own */
    xlator_t *xlator;
};

/* The primary, which is all there is unless option interpreters says more. */
static inline struct glupy_instance *
glupy_instance_of(xlator_t *this)
{
    return this->private;
}

/* Attached. A new Instance for an xlator_t, or NULL with an exception. */
struct glupy_instance *glupy_instance_create(struct glupy_state *state, xlator_t *this);

/* Attached. The xlator_t goes: let go of everything that refers to it. */
void glupy_instance_forget(struct glupy_instance *self);

/* Attached. A volfile's options as a dict of str. NULL with an exception. */
PyObject *glupy_options_of(dict_t *options);

/* Let the fops of the class into Python, or past it: each slot of the instance's own table gets glupy's dispatcher, or
 * GlusterFS's default. Atomic for each; what is inside goes on. Attached. */
void glupy_instance_let_in(struct glupy_instance *self, bool in);

/* The options in force, a line NAME=VALUE each, or NULL without memory; to be freed. Needs no interpreter, any thread. */
char *glupy_instance_options_text(struct glupy_instance *self);

/* Attached. A new Child of an instance's graph, or NULL with an exception. */
PyObject *glupy_child_new(struct glupy_instance *instance, xlator_t *xlator);

/* Attached. A tuple of Child: what stands below an xlator of the instance's graph. */
PyObject *glupy_children_of(struct glupy_instance *instance, xlator_t *xlator);

/* Attached. The child's xlator, or NULL with ReferenceError once its graph is gone. */
xlator_t *glupy_child_alive(struct glupy_child *child);

/* Attached. For messages; never NULL. */
const char *glupy_child_name(struct glupy_child *child);

#endif
