/* A fop comes in: to be run on this thread, or kept for a worker. See calls.h. */
#include "instance/replicas.h"
#include "request/calls.h"
#include "request/request.h"

static void
refuse(struct glupy_instance *instance, call_frame_t *frame, const struct glupy_fop *fop, int32_t op_errno)
{
    union glupy_any_reply nothing;

    glupy_stats_refused(glupy_stats_of(&instance->stats, fop));
    memset(&nothing, 0, sizeof(nothing));
    glupy_calls_of(fop)->unwind(frame, -1, op_errno, &nothing);
}

/* A stack on which no Python may run, or a method that may block its thread: keep the arguments, let a worker stand
 * in. */
void
glupy_request_begin_elsewhere(struct glupy_request *request, const void *passed)
{
    const struct glupy_fop *fop = request->fop;

    request->arrival.late_args = malloc(fop->args_held_size);
    if (!request->arrival.late_args || glupy_fields_hold(fop->args, fop->nargs, request->arrival.late_args, passed) != 0) {
        refuse(request->instance, request->frame, fop, ENOMEM);
        free(request->arrival.late_args);
        glupy_request_free(request);
        return;
    }
    atomic_fetch_add(&request->instance->life.late, 1);
    glupy_request_submit(request);
}

/* A thread's first time takes the interpreter, to get a state of its own. */
static enum glupy_place
arrive(struct glupy_instance *instance, struct glupy_thread **thread)
{
    bool first = !glupy_thread_if_any();
    enum glupy_place place;

    if (first)
        atomic_fetch_add_explicit(&instance->stats.arriving, 1, memory_order_relaxed);
    place = glupy_place(thread);
    if (first)
        atomic_fetch_sub_explicit(&instance->stats.arriving, 1, memory_order_relaxed);
    return place;
}

void
glupy_enter_fop(call_frame_t *frame, xlator_t *this, const struct glupy_fop *fop, const void *passed)
{
    struct glupy_instance *instance = glupy_replica_for(glupy_instance_of(this), fop, passed);
    struct glupy_thread *thread;
    struct glupy_request *request;
    bool offloaded = __atomic_load_n(&instance->handlers.offloaded[fop->index], __ATOMIC_RELAXED);
    enum glupy_place place;

    glupy_stats_called(glupy_stats_of(&instance->stats, fop));
    place = offloaded ? GLUPY_WORKER : arrive(instance, &thread);
    if (glupy_python_gone()) {
        refuse(instance, frame, fop, EIO);
        return;
    }
    request = glupy_request_new(instance, frame, fop);
    if (!request) {
        refuse(instance, frame, fop, ENOMEM);
        return;
    }
    request->offload.wanted = offloaded;
    if (place == GLUPY_WORKER)
        glupy_request_begin_elsewhere(request, passed);
    else
        glupy_request_run(request, thread, place, passed);
}
