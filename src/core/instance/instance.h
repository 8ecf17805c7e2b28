/* One translator in one graph: what stands behind an xlator_t of ours, and `Instance` in Python. */
#ifndef GLUPY_INSTANCE_H
#define GLUPY_INSTANCE_H

#include <pthread.h>
#include <stdatomic.h>

#include "instance/flavour.h"
#include "instance/version.h"
#include "observe/stats.h"
#include "observe/patience.h"
#include "observe/watch.h"
#include "python/thread.h"
#include "python/worker.h"
#include "values/fops_gen.h"

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
    char *ballot;    /* the first one's, which all others' must equal, or NULL */
    char *outcome;   /* what it was when all had voted: stands until all have voted again */
};

/* Requests at rest (request/rest.h), the oldest rest first. */
struct glupy_resting {
    pthread_mutex_t lock;
    struct list_head list;
    uint64_t count;
    _Atomic unsigned char likely[GLUPY_FOP_COUNT]; /* by the fop's index: that the next one comes to rest as well; 0: it does not */
};

/* What the class defines, by the fop's index. */
struct glupy_handlers {
    PyObject *methods[GLUPY_FOP_COUNT]; /* bound methods, NULL where there is none */
    bool takes_call[GLUPY_FOP_COUNT];   /* the method is any_fop: called with (frame, Call) */
    bool offloaded[GLUPY_FOP_COUNT];    /* @offload: the method is called on a thread that it may block */
};

/* The table of fops (lifecycle/table.h); of the primary. */
struct glupy_slots {
    struct xlator_fops *own; /* our dispatcher where there is a method; NULL: not made */
    struct xlator_fops *defaults;
    fop_getxattr_t getxattr; /* what stands in the table beneath ours (report/sight.c) */
    fop_fgetxattr_t fgetxattr;
};

/* Option interpreters (replicas.h). */
struct glupy_replicas {
    struct glupy_instance **list;   /* of the primary: one an interpreter, itself first */
    unsigned count;                 /* how many of them there are */
    unsigned wanted;                /* how many there shall be */
    bool several;                   /* of all: there is more than one */
    struct glupy_instance *primary; /* of all: which of them it is */
    struct glupy_instance *itself;  /* where the list is as long as there are no others */
    char *origin;                   /* what a replica is made from, as bytes of Python's; of the primary, else NULL */
    size_t origin_size;
};

/* What failed in the background (request/failure.h). */
struct glupy_failure {
    char *task;      /* which, as its author named it */
    char *exception; /* in one line */
    char *at;        /* where it was raised, or NULL */
    uint64_t when;   /* ticks; 0: nothing has */
};

void glupy_failure_clear(struct glupy_failure *failure);

/* Coroutines in the background (request/background.h). */
struct glupy_tasks {
    struct list_head list; /* requests of tasks, under the interpreter's lock */
    unsigned count;        /* those that have not ended */
    struct list_head held; /* those that wait for the first child to come up: their job.link */
    bool up;               /* a child has come up */
    bool going;            /* the graph goes: no new ones */
    struct glupy_failure latest;
};

/* The common options in force. */
struct glupy_settings {
    char *text;              /* all options, a line NAME=VALUE each: for those without the interpreter */
    struct glupy_votes votes; /* of the primary */
    bool disabled;           /* option enabled off */
    bool pass_on_error;      /* option on-error: wind the call on instead of answering EIO */
};

/* Loadings of the translator's file (version.h). */
struct glupy_versions {
    struct glupy_version *current; /* what new requests begin in: a reference */
    struct glupy_version *making;  /* being loaded, until it takes that one's place: a reference */
    struct glupy_defined *next;    /* what its class defines, once it is ready (lifecycle/defined.h) */
    struct list_head replaced;     /* those that something is still inside of, the oldest first: references */
    void (*left)(struct glupy_version *version); /* attached: nothing more of a replaced one's requests, or tasks, is inside */
    /* For those who look from outside. */
    atomic_uint inside;     /* how many are in the list */
    glupy_counter taken;    /* took the place of the one before */
    glupy_counter refused;  /* did not load */
    glupy_counter latest;   /* ticks at which the last was taken */
};

/* From init() to fini() (lifecycle/). */
struct glupy_life {
    unsigned requests; /* fops inside, under the interpreter's lock */
    atomic_uint late;  /* fops on their way to a worker: they do not count as inside, and hold no reference yet */
    bool hears;        /* the class defines notify() */
    bool stops;        /* the class defines stopping(), which has not been called yet */
    bool down;         /* PARENT_DOWN has gone by: fini() as soon as no request is left */
    bool ended;        /* the author's fini() has been called: nothing of theirs is called any more */
    bool emptied;      /* what Python held of the graph's inode tables has been given up: they are about to go */
    bool up;           /* of the primary: its graph has come up (PARENT_UP); this and the next under a mutex of graph_end.c */
    bool passed;       /* of the primary: PARENT_DOWN has gone by here and below */
    struct list_head link; /* of the primary: among all of the process */
    const glusterfs_graph_t *graph; /* only to be compared: where it was loaded */
    void (*idle)(struct glupy_instance *self); /* attached: no fop is inside any more */
};

/* inode.ctx and fd.ctx (context.h). */
struct glupy_contexts {
    struct list_head list;   /* under the interpreter's lock */
    bool any;                /* there has been one */
    bool unchained;          /* of replicas: they are being dropped; under a mutex of context.c */
    PyObject *inode_factory; /* class attribute inode_ctx, else NULL */
    PyObject *fd_factory;    /* class attribute fd_ctx, else NULL */
};

struct glupy_instance {
    PyObject_HEAD
    xlator_t *this;       /* NULL once fini has run */
    struct glupy_state *state;
    PyObject *translator; /* the author's object */
    PyObject *children;   /* tuple of Child */
    inode_table_t *table; /* the inode table of its graph, once seen */
    const struct glupy_flavour *flavour;
    void *flavoured;      /* what that keeps with it, or NULL */
    pthread_mutex_t lock; /* of settings, and of tasks but for the list */
    pthread_cond_t calm;

    struct glupy_handlers handlers;
    struct glupy_slots slots;
    struct glupy_replicas replicas;
    struct glupy_versions versions;
    struct glupy_life life;
    struct glupy_settings settings;
    struct glupy_tasks tasks;
    struct glupy_contexts contexts;
    struct glupy_hooks hooks;
    struct glupy_resting resting;
    struct glupy_stats stats;
    struct glupy_watch watch; /* option budget */
    struct glupy_patience patience;
};

/* The primary, which is all there is unless option interpreters says more. */
static inline struct glupy_instance *
glupy_instance_of(xlator_t *this)
{
    return this->private;
}

/* Attached. A new Instance for an xlator_t, without children yet; NULL with an exception. */
struct glupy_instance *glupy_instance_create(struct glupy_state *state, xlator_t *this);

/* Attached. The xlator_t goes: let go of everything that refers to it. */
void glupy_instance_forget(struct glupy_instance *self);

/* Attached. A volfile's options as a dict of str. NULL with an exception. */
PyObject *glupy_options_of(dict_t *options);

/* The options in force, a line NAME=VALUE each, or NULL without memory; to be freed. Needs no interpreter, any thread. */
char *glupy_instance_options_text(struct glupy_instance *self);

/* Attached. Its xlator, or NULL with ReferenceError once the graph is gone. */
xlator_t *glupy_instance_alive(struct glupy_instance *self);

/* For messages: the volume's name, or "glupy" once the graph is gone. */
const char *glupy_instance_name(const struct glupy_instance *self);

/* Attached. Log the current exception with its traceback, where there is no request; clears it. `doing` says what was being
 * done. */
void glupy_log_exception_doing(struct glupy_instance *self, const char *doing);

/* Slots of the Python type Instance, which lifecycle/instance_type.c puts together. */
int glupy_instance_traverse(PyObject *self, visitproc visit, void *arg);
int glupy_instance_clear(PyObject *self);
void glupy_instance_dealloc(PyObject *self);

#endif
