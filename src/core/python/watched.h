/* What a thread's entry (thread.h) holds for watch.c. */
#ifndef GLUPY_WATCHED_H
#define GLUPY_WATCHED_H

#include <glusterfs/list.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct glupy_overdue;
struct glupy_watch;

/* Whose code runs, and what it is about: a fop's name, or that of a hook; never freed. */
struct glupy_watched {
    struct glupy_watch *_Atomic who; /* NULL: nobody's */
    const char *_Atomic doing;
};

/* The same, put by while other code runs. */
struct glupy_watched_before {
    struct glupy_watch *who;
    const char *doing;
};

/* What the watch saw last. Under its lock. */
struct glupy_seen {
    struct list_head link;
    pthread_t thread;
    uint64_t step, since;
    struct glupy_overdue *report; /* about this step; NULL: none yet */
};

#endif
