/* Requests at rest: those that nobody runs because they wait. A statedump shows them, and never waits for the
 * interpreter; so what it shows is C data that stays as it is while the request is in the list.
 *
 * A runner puts the request in before it lets go of it, and whoever takes it over takes it out before touching anything
 * else. Requests that never come to rest (their children answer at once) never take the lock. It is not held while
 * anybody enters the interpreter, calls GlusterFS or writes. */
#ifndef GLUPY_REST_H
#define GLUPY_REST_H

#include <pthread.h>

#include "request/awaitable.h"

struct glupy_instance;
struct glupy_request;

/* In the request. */
struct glupy_rest {
    struct list_head link;
    bool listed;
    uint64_t seen; /* nanoseconds: somebody looked and found it here (option patience); 0: not since it came to rest */
    bool said;     /* the log has that it rests for long */
    struct glupy_awaitable *awaits; /* what its own coroutine waits for: a reference, or NULL */
    PyObject *code;                 /* where it does: `file` and `function` lie in this code object; a reference */
    const char *file, *function;
    int at; /* the instruction, from which whoever looks finds the line */
};

#define GLUPY_SHOWN_TEXT 1000 /* bytes of a path or description that are shown, so that a line fits a statedump's buffer */

/* A copy of what is to be told of one of them. Texts are malloc()ed, NULL where there is nothing to tell. */
struct glupy_suspended {
    const char *fop; /* "task" for background tasks */
    uint64_t began;  /* ticks */
    uint64_t since;
    bool caller;     /* somebody asked: the next three are his */
    uint64_t unique; /* of the call's stack, as in GlusterFS's own statedump */
    uint32_t uid, pid;
    char *path, *awaits, *at;
};

/* By the runner, not attached: it is about to let go of the request; it has been taken over again. */
void glupy_rest_begin(struct glupy_request *request);
void glupy_rest_end(struct glupy_request *request);

/* Not attached, by the runner of a fop: it is about to rest, or was expected to and need not. What its child did, it is likely to
 * do again. */
void glupy_rest_expect(struct glupy_request *request, bool rests);

/* Any time: will this one? */
bool glupy_rest_expected(struct glupy_request *request);

/* Attached, by the runner: its own coroutine, or a task's, goes on or waits for this. */
void glupy_rest_awaits(struct glupy_awaitable **slot, PyObject *awaitable);

/* Attached, by the runner: note the line at which the request's own coroutine waits, or its method in wait(). */
void glupy_rest_locate(struct glupy_request *request);

/* Attached. The request is about to be freed. */
void glupy_rest_clear(struct glupy_request *request);

/* Not attached. Copies of the oldest, at most `room` of them: how many; `*count` is how many there are in all. To be given
 * to glupy_suspended_free(). */
unsigned glupy_resting_copy(struct glupy_instance *instance, struct glupy_suspended *out, unsigned room,
                            uint64_t *count);

/* Not attached. Copies of those fops that were seen here so long ago (nanoseconds), each once in its life, at most `room` of
 * them: how many. Locks that GlusterFS's callers wait for are not among them. To be given to glupy_suspended_free(). */
unsigned glupy_resting_overdue(struct glupy_instance *instance, uint64_t nanoseconds, uint64_t now,
                               struct glupy_suspended *out, unsigned room);

/* Not attached. */
uint64_t glupy_resting_count(struct glupy_instance *instance);

void glupy_suspended_free(struct glupy_suspended *suspended, unsigned n);

/* The instance's graph is gone: requests at rest are looked at once more, and find that there is nobody to answer. Attached. */
void glupy_rest_lose(struct glupy_instance *instance);

#endif
