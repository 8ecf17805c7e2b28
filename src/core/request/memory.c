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

/* Arguments beyond the fop's are not looked at. That the length is not known here is to the good, too: what is known to be
 * so many bytes GCC clears by `rep stos`, which takes several times as long as libc's memset(). */
static size_t
size_for(const struct glupy_fop *fop)
{
    return offsetof(struct glupy_request, argv) + (2u + (fop ? fop->nargs : 0u)) * sizeof(PyObject *);
}

static struct glupy_request *
take_spare(struct glupy_thread *thread, const struct glupy_fop *fop)
{
    struct glupy_request *request = thread ? thread->spares : NULL;

    if (!request)
        return NULL;
    thread->spares = request->next_spare;
    thread->nspares--;
    memset(request, 0, size_for(fop));
    return request;
}

void
glupy_request_free(struct glupy_request *request)
{
    struct glupy_thread *thread = glupy_thread_if_any();

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
    return request;
}
