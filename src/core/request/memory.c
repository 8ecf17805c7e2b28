/* The memory of requests. See request.h. */
#include "request/request.h"

#include "instance/instance.h"

/* How many requests that have ended a thread keeps for its next ones: an allocation and its end take longer than most
 * of what a request goes through. Several, because layers of ours may stand on one another. The address sanitizer is to
 * see each request end. */
#if defined(__SANITIZE_ADDRESS__)
#define MOST_SPARES 0
#else
#define MOST_SPARES 16
#endif

/* Where children answer on other threads, requests begin on one thread and end on another. A thread that has as many spares as it
 * may keep puts them all here, one that has none takes as many from here. */
static struct {
    pthread_mutex_t lock;
    struct glupy_request *piles[8];
    unsigned count;
} depot = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Arguments beyond the fop's are not looked at. That the length is not known here is to the good, too: what is known to be
 * so many bytes GCC clears by `rep stos`, which takes several times as long as libc's memset(). */
static size_t
size_for(const struct glupy_fop *fop)
{
    return offsetof(struct glupy_request, argv) + (2u + (fop ? fop->nargs : 0u)) * sizeof(PyObject *);
}

static __attribute__((noinline)) bool
fetch_pile(struct glupy_thread *thread)
{
    struct glupy_request *pile = NULL;

    pthread_mutex_lock(&depot.lock);
    if (depot.count)
        pile = depot.piles[--depot.count];
    pthread_mutex_unlock(&depot.lock);
    thread->spares = pile;
    thread->nspares = pile ? MOST_SPARES : 0;
    return pile;
}

static __attribute__((noinline)) void
bring_pile(struct glupy_thread *thread)
{
    pthread_mutex_lock(&depot.lock);
    if (depot.count < sizeof(depot.piles) / sizeof(*depot.piles)) {
        depot.piles[depot.count++] = thread->spares;
        thread->spares = NULL;
        thread->nspares = 0;
    }
    pthread_mutex_unlock(&depot.lock);
}

static struct glupy_request *
take_spare(struct glupy_thread *thread, const struct glupy_fop *fop)
{
    struct glupy_request *request;

    if (!thread || (!thread->spares && !fetch_pile(thread)))
        return NULL;
    request = thread->spares;
    thread->spares = request->next_spare;
    thread->nspares--;
    memset(request, 0, size_for(fop));
    return request;
}

void
glupy_request_free(struct glupy_request *request)
{
    struct glupy_thread *thread = glupy_thread_if_any();

    if (MOST_SPARES && thread && thread->nspares == MOST_SPARES)
        bring_pile(thread);
    if (thread && thread->nspares < MOST_SPARES) {
        request->next_spare = thread->spares;
        thread->spares = request;
        thread->nspares++;
    } else {
        free(request);
    }
}

void
glupy_request_free_spares(struct glupy_thread *thread)
{
    struct glupy_request *request, *next;

    for (request = thread->spares; request; request = next) {
        next = request->next_spare;
        free(request);
    }
}

struct glupy_request *
glupy_request_new(struct glupy_instance *instance, call_frame_t *frame, const struct glupy_fop *fop)
{
    struct glupy_request *request = take_spare(glupy_thread_if_any(), fop);

    if (!request)
        request = calloc(1, sizeof(*request));
    if (!request)
        return NULL;
    request->instance = instance;
    request->interpreter = instance->state->interpreter;
    request->frame = frame;
    request->fop = fop;
    request->timing.of = glupy_stats_of(&instance->stats, fop);
    return request;
}
