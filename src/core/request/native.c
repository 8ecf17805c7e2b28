/* Fops of translators that are classes with methods: arguments become Python objects, the method's result an answer. */
#include "request/native.h"

#include "base/compat.h"
#include "instance/context.h"
#include "python/method.h"
#include "request/answer.h"
#include "request/asked.h"
#include "request/call.h"
#include "request/frame.h"
#include "request/wind.h"
#include "values/types/types.h"

/* Until the instance knows the inode table of its graph. */
static void
look_for_table(struct glupy_request *request)
{
    for (unsigned i = 0; !request->instance->table && i < request->fop->nargs; i++)
        request->instance->table = glupy_table_of(request->fop->args[i].kind, glupy_request_args(request)[i]);
}

static int
wrap_args(struct glupy_request *request, const void *passed)
{
    struct glupy_instance *instance = request->instance;

    request->argv[1] = glupy_frame_new(instance->state, request);
    if (!request->argv[1] || request->fop->wrap(instance->state, instance, glupy_request_args(request), passed) != 0)
        return -1;
    if (!instance->table)
        look_for_table(request);
    return 0;
}

static bool
wants_reply(struct glupy_request *request)
{
    return request->instance->contexts.any &&
           glupy_contexts_want_reply(request->instance, request->fop, glupy_request_args(request));
}

/* A tail wind that cannot be one, because its reply has to be seen, becomes a wind to be awaited in the fop's stead. */
bool
glupy_can_tail(struct glupy_request *request, PyObject *wind)
{
    return glupy_wind_can_tail(wind) && !wants_reply(request) &&
           !glupy_wind_asks_more(request, (struct glupy_wind *)wind);
}

/* The method has returned: with its answer, or with a coroutine to drive. */
static void
take_result(struct glupy_request *request, PyObject *result)
{
    unaryfunc await;

    if (result == Py_None && wants_reply(request))
        Py_SETREF(result, glupy_wind_same(request));
    if (!result) {
        request->progress.exception = PyErr_GetRaisedException();
        request->progress.finished = true;
        return;
    }
    await = Py_TYPE(result)->tp_as_async ? Py_TYPE(result)->tp_as_async->am_await : NULL;
    if (!await || (glupy_is_wind(result) && glupy_can_tail(request, result))) {
        request->progress.outcome = result;
        request->progress.finished = true;
        return;
    }
    request->progress.was_coroutine = true;
    if (PyCoro_CheckExact(result)) {
        request->progress.coroutine = result;
    } else {
        request->progress.coroutine = await(result);
        Py_DECREF(result);
    }
    if (request->progress.coroutine) {
        glupy_step(request);
    } else {
        request->progress.exception = PyErr_GetRaisedException();
        request->progress.finished = true;
    }
}

static PyObject *
call_method(struct glupy_request *request)
{
    unsigned at = request->fop->index;
    PyObject *method = request->instance->handlers.methods[at];

    if (request->instance->handlers.takes_call[at])
        return glupy_call_any(request, method);
    return glupy_call_method(method, request->argv, 1u + request->fop->nargs);
}

static void
native_start(struct glupy_request *request, const void *passed)
{
    take_result(request, wrap_args(request, passed) == 0 ? call_method(request) : NULL);
}

static void
native_own(struct glupy_request *request)
{
    for (unsigned i = 0; i < request->fop->nargs; i++) {
        PyObject *object = glupy_request_args(request)[i];

        if (object && object != Py_None && request->fop->args[i].kind->own &&
            request->fop->args[i].kind->own(object) != 0)
            PyErr_Clear(); /* the wrapper is empty now, which is safe */
    }
}

static void *
native_argument(struct glupy_request *request, unsigned i)
{
    PyObject *object = glupy_request_args(request)[i];

    if (!object || object == Py_None)
        return NULL;
    if (request->fop->args[i].kind == &glupy_kind_loc)
        return ((struct glupy_loc *)object)->loc;
    return ((struct glupy_reference *)object)->fd;
}

static PyObject *
native_passed(struct glupy_request *request, unsigned i, void *passed)
{
    const struct glupy_kind *kind = request->fop->args[i].kind;
    PyObject *object = glupy_request_args(request)[i];
    PyObject *normalised = object ? kind->convert(request->instance->state, object) : NULL;

    if (normalised)
        kind->pass(normalised, passed);
    return normalised;
}

/* Let go of the wrappers; those that Python keeps get values of their own first, unless they have them. */
static void
native_free(struct glupy_request *request)
{
    const struct glupy_fop *fop = request->fop;

    Py_XDECREF(request->arrival.call); /* first: unless Python keeps it, it is no reason to keep the arguments */
    for (unsigned i = 0; i < fop->nargs; i++) {
        PyObject *object = glupy_request_args(request)[i];

        if (!object)
            continue;
        if (!glupy_sole_reference(object) && object != Py_None && fop->args[i].kind->own && fop->args[i].kind->own(object) != 0)
            PyErr_Clear();
        Py_DECREF(object);
    }
    if (request->argv[1]) {
        ((struct glupy_frame *)request->argv[1])->request = NULL;
        Py_DECREF(request->argv[1]);
    }
}

static int
native_adopt(struct glupy_instance *instance)
{
    (void)instance;
    return 1;
}

const struct glupy_flavour glupy_native = {
    .adopt = native_adopt,
    .start = native_start,
    .own = native_own,
    .argument = native_argument,
    .passed = native_passed,
    .answer = glupy_answer_native,
    .free = native_free,
};
