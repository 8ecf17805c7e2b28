/* The latest failure in the background. See failure.h. */
#include "request/failure.h"

#include "base/compat.h"
#include "observe/log.h"

/* As C keeps it; what is not UTF-8 is escaped. */
static char *
text_of(PyObject *text)
{
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
    char *copy = bytes ? strdup(PyBytes_AS_STRING(bytes)) : NULL;

    PyErr_Clear();
    Py_XDECREF(bytes);
    return copy;
}

/* Without the exception's own words where these cannot be had. */
static void
describe(struct glupy_state *state, PyObject *exception, struct glupy_failure *out)
{
    PyObject *said = state->runtime ? PyObject_CallMethod(state->runtime, "brief", "O", exception) : NULL;
    PyObject *words, *place;

    if (said && PyArg_ParseTuple(said, "UU", &words, &place)) {
        out->exception = text_of(words);
        out->at = text_of(place);
    }
    PyErr_Clear();
    Py_XDECREF(said);
    if (!out->exception)
        out->exception = strdup(Py_TYPE(exception)->tp_name);
}

static void
note(struct glupy_instance *instance, struct glupy_failure *failure)
{
    struct glupy_failure before;

    pthread_mutex_lock(&instance->lock);
    before = instance->tasks.latest;
    instance->tasks.latest = *failure;
    pthread_mutex_unlock(&instance->lock);
    glupy_failure_clear(&before);
}

void
glupy_failure_in_background(struct glupy_instance *instance, const char *doing, PyObject *about)
{
    PyObject *exception = PyErr_GetRaisedException();
    struct glupy_failure failure = {.task = about ? text_of(about) : strdup(doing), .when = glupy_ticks()};

    describe(instance->state, exception, &failure);
    note(instance, &failure);
    glupy_stats_exception(glupy_stats_of(&instance->stats, NULL));
    PyErr_SetRaisedException(exception);
    glupy_log_raised(instance->state, glupy_instance_name(instance), doing, about);
}

static char *
copy_of(const char *text)
{
    return text ? strdup(text) : NULL;
}

bool
glupy_failure_copy(struct glupy_instance *instance, struct glupy_failure *out)
{
    struct glupy_failure *latest = &instance->tasks.latest;

    pthread_mutex_lock(&instance->lock);
    *out = (struct glupy_failure){copy_of(latest->task), copy_of(latest->exception), copy_of(latest->at), latest->when};
    pthread_mutex_unlock(&instance->lock);
    return out->when != 0;
}
