/* Winds that nobody waits for any more. See late.h. */
#include "request/late.h"

#include "python/place.h"
#include "request/background.h"
#include "request/child.h"
#include "request/wind.h"

struct glupy_late_wind {
    struct glupy_job job;
    struct glupy_wind *wind;         /* a reference */
    struct glupy_instance *instance; /* a reference */
    unsigned interpreter;
};

struct glupy_late_wind *
glupy_late_wind_new(struct glupy_wind *wind)
{
    struct glupy_late_wind *self = calloc(1, sizeof(*self));

    if (!self)
        return NULL;
    self->wind = (struct glupy_wind *)Py_NewRef(wind);
    self->instance = (struct glupy_instance *)Py_NewRef(wind->child->instance);
    self->interpreter = self->instance->state->interpreter;
    glupy_background_count(self->instance, 1);
    return self;
}

void
glupy_late_wind_free(struct glupy_late_wind *self)
{
    Py_XDECREF(self->wind);
    glupy_background_count(self->instance, -1);
    Py_DECREF(self->instance);
    free(self);
}

static void
let_go(struct glupy_thread *thread, void *arg)
{
    (void)thread;
    Py_CLEAR(((struct glupy_late_wind *)arg)->wind);
}

static void
leave(struct glupy_thread *thread, void *arg)
{
    (void)thread;
    glupy_late_wind_free(arg);
}

static void
call(struct glupy_thread *thread, enum glupy_place place, struct glupy_late_wind *self,
     void (*fn)(struct glupy_thread *thread, void *arg))
{
    glupy_call_python(thread, place, self->interpreter, GLUPY_SHORT, fn, self);
}

/* In two stays: what the wind held of the graph is released after the first, and only then may the instance end. */
static void
run(struct glupy_job *job)
{
    struct glupy_late_wind *self = (struct glupy_late_wind *)job;
    struct glupy_thread *thread;
    enum glupy_place place = glupy_place(&thread);

    if (place == GLUPY_WORKER)
        return; /* Python is being finalised by its host */
    call(thread, place, self, let_go);
    call(thread, place, self, leave);
}

void
glupy_late_wind_back(struct glupy_late_wind *self)
{
    self->job.run = run;
    glupy_worker_submit(&self->job);
}
