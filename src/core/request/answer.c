/* How a request ends: exactly one answer, whatever the Python code did. See answer.h. */
#include "request/answer.h"

#include "base/compat.h"
#include "instance/context.h"
#include "request/asked.h"
#include "request/background.h"
#include "request/belongs.h"
#include "request/calls.h"
#include "request/child.h"
#include "request/subject.h"
#include "request/wind.h"
#include "values/drops_queue.h"
#include "values/reply.h"
#include "values/types/types.h"

/* GlusterFS's callers read what a successful reply points to without looking. What the author left out is taken from the
 * call's own arguments (the inode, the fd) or is an empty value. */
static inode_t *
argument_inode(struct glupy_request *request)
{
    for (unsigned i = 0; i < request->fop->nargs; i++)
        if (glupy_request_loc(request, i))
            return glupy_request_loc(request, i)->inode;
    return NULL;
}

static fd_t *
argument_fd(struct glupy_request *request)
{
    for (unsigned i = 0; i < request->fop->nargs; i++)
        if (glupy_request_fd(request, i))
            return glupy_request_fd(request, i);
    return NULL;
}

static void
fill_left_out(struct glupy_request *request, void *held)
{
    for (unsigned i = 0; request->fop->pointed && i < request->fop->nreply; i++) {
        const struct glupy_field *field = &request->fop->reply[i];
        void **pointer = glupy_held(field, held);

        if (field->kind == &glupy_kind_inode && !*pointer && argument_inode(request))
            *pointer = inode_ref(argument_inode(request));
        else if (field->kind == &glupy_kind_fd && !*pointer && argument_fd(request))
            *pointer = fd_ref(argument_fd(request));
        else if (field->kind == &glupy_kind_dict && !*pointer && strcmp(field->name, "xdata") != 0)
            *pointer = dict_new();
    }
}

static int32_t
count_entries(struct list_head *head)
{
    struct list_head *at;
    int32_t n = 0;

    list_for_each(at, head)
    {
        n++;
    }
    return n;
}

/* op_ret as what is sent allows it: callers take that many bytes or characters without looking. Entries may have been
 * put in or taken out; `changed` has a bit for each field of which that is possible. */
static int32_t
checked_op_ret(const struct glupy_fop *fop, int32_t op_ret, void *held, unsigned changed)
{
    for (unsigned i = 0; fop->measured && i < fop->nreply; i++) {
        const struct glupy_field *field = &fop->reply[i];
        void *value = glupy_held(field, held);
        size_t most = INT32_MAX;

        if (field->kind == &glupy_kind_payload)
            most = iov_length(((struct glupy_payload *)value)->vector, ((struct glupy_payload *)value)->count);
        else if (field->kind == &glupy_kind_string)
            most = *(char **)value ? strlen(*(char **)value) : 0;
        else if (field->kind == &glupy_kind_dirents && changed & 1u << i)
            return count_entries(&((gf_dirent_t *)value)->list);
        else if (field->kind == &glupy_kind_locklist && changed & 1u << i)
            return count_entries(&((lock_migration_info_t *)value)->list);
        if ((size_t)op_ret > most)
            op_ret = (int32_t)most;
    }
    return op_ret;
}

void
glupy_answer_complete(struct glupy_answer *answer, struct glupy_request *request, unsigned changed)
{
    answer->op_ret = checked_op_ret(request->fop, answer->op_ret, &answer->held, changed);
    fill_left_out(request, &answer->held);
}

static void
fail(struct glupy_answer *answer, int32_t op_errno)
{
    answer->how = GLUPY_FAIL;
    answer->op_ret = -1;
    answer->op_errno = op_errno;
}

static void
fail_logged(struct glupy_answer *answer, struct glupy_request *request)
{
    glupy_log_exception(request);
    fail(answer, EIO);
}

static void
discard(const struct glupy_fop *fop, void *held)
{
    for (unsigned i = 0; i < fop->nreply; i++)
        fop->reply[i].kind->discard(glupy_held(&fop->reply[i], held));
}

static void
from_reply(struct glupy_answer *answer, struct glupy_request *request, struct glupy_reply *reply, bool last)
{
    unsigned changed = reply->seen;
    bool made = !reply->owner; /* by Python: no child sent it */

    answer->op_errno = reply->op_errno;
    if (glupy_reply_take(reply, &answer->held, last) != 0) {
        fail_logged(answer, request);
        return;
    }
    /* What came from a child of this translator's own, and was not looked into, is of its graph. */
    if ((changed || reply->owner != request->instance || request->instance->life.emptied) &&
        !glupy_belongs_reply(request->instance, request->fop, &answer->held)) {
        discard(request->fop, &answer->held);
        fail_logged(answer, request);
        return;
    }
    answer->how = GLUPY_UNWIND;
    answer->op_ret = reply->op_ret;
    if (reply->op_ret < 0)
        return;
    glupy_answer_complete(answer, request, changed);
    glupy_answer_cut(answer, request, made || changed);
    if (request->instance->contexts.any)
        glupy_contexts_met(request->instance, request->fop, &answer->held, argument_inode(request));
}

static void
tail_wind(struct glupy_answer *answer, struct glupy_request *request, struct glupy_wind *wind, const void *passed)
{
    wind->base.stage = GLUPY_DONE;
    if (glupy_wind_check(wind, request) != 0) {
        fail_logged(answer, request);
        return;
    }
    answer->how = GLUPY_TAIL;
    answer->child = wind->child->xlator;
    answer->passed = &answer->args;
    if (!glupy_wind_tail_args(wind, request, passed, &answer->args))
        answer->keep = Py_NewRef(wind);
}

/* The call as it came. What the caller has passed is there no more once the request has rested: then it is a wind, which
 * keeps what it goes out with, whatever becomes of the arguments. */
static void
tail_unchanged(struct glupy_answer *answer, struct glupy_request *request, const void *passed)
{
    PyObject *wind;

    if (request->instance->life.emptied) { /* the inodes among them are about to go */
        PyErr_SetString(PyExc_ReferenceError, "the graph of this call is gone");
        fail_logged(answer, request);
        return;
    }
    if (passed) {
        answer->how = GLUPY_TAIL;
        answer->child = FIRST_CHILD(request->instance->this);
        answer->passed = passed;
        return;
    }
    wind = glupy_wind_same(request);
    if (!wind) {
        fail_logged(answer, request);
        return;
    }
    tail_wind(answer, request, (struct glupy_wind *)wind, NULL);
    Py_DECREF(wind);
}

/* An attribute of an exception, or NULL: whatever getting it raises is as good as none. */
static PyObject *
attribute(PyObject *error, PyObject *name)
{
    PyObject *value;

    if (PyObject_GetOptionalAttr(error, name, &value) < 0)
        PyErr_Clear();
    return value;
}

/* The errno of an OSError, or 0 when it has none that could be unwound with. */
static int32_t
errno_of(struct glupy_state *state, PyObject *error)
{
    PyObject *value = attribute(error, state->str_errno);
    long number = value && PyLong_Check(value) ? PyLong_AsLong(value) : 0;

    Py_XDECREF(value);
    if (number == -1)
        PyErr_Clear();
    return number > 0 && number <= GLUPY_LARGEST_ERRNO ? (int32_t)number : 0;
}

/* A child's error that went through Python unchanged keeps everything that the child sent with it. */
static bool
from_carried_reply(struct glupy_answer *answer, struct glupy_request *request, PyObject *error, int32_t op_errno)
{
    PyObject *carried = attribute(error, request->instance->state->str_reply);
    struct glupy_reply *reply = (struct glupy_reply *)carried;
    bool fits = carried && glupy_is_reply(carried) && reply->fop == request->fop && reply->op_ret < 0 &&
                reply->op_errno == op_errno;

    if (fits)
        from_reply(answer, request, reply, false);
    Py_XDECREF(carried);
    return fits;
}

static void
take_error_xdata(struct glupy_answer *answer, struct glupy_request *request, PyObject *error)
{
    PyObject *value = attribute(error, request->instance->state->str_xdata);
    PyObject *xdata = value ? glupy_kind_dict.convert(request->instance->state, value) : NULL;

    if (xdata)
        glupy_kind_dict.take(xdata, &answer->xdata);
    else
        PyErr_Clear();
    Py_XDECREF(xdata);
    Py_XDECREF(value);
}

/* `raise FileNotFoundError` without arguments has no errno, but what it means is clear. */
static int32_t
errno_of_class(PyObject *error)
{
    const struct {
        PyObject *type;
        int32_t op_errno;
    } known[] = {
        {PyExc_FileNotFoundError, ENOENT},   {PyExc_FileExistsError, EEXIST},
        {PyExc_PermissionError, EPERM},      {PyExc_NotADirectoryError, ENOTDIR},
        {PyExc_IsADirectoryError, EISDIR},   {PyExc_InterruptedError, EINTR},
        {PyExc_BlockingIOError, EAGAIN},     {PyExc_TimeoutError, ETIMEDOUT},
        {PyExc_BrokenPipeError, EPIPE},      {PyExc_ConnectionAbortedError, ECONNABORTED},
        {PyExc_ConnectionRefusedError, ECONNREFUSED}, {PyExc_ConnectionResetError, ECONNRESET},
        {PyExc_ChildProcessError, ECHILD},   {PyExc_ProcessLookupError, ESRCH},
    };

    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (PyErr_GivenExceptionMatches(error, known[i].type))
            return known[i].op_errno;
    return 0;
}

void
glupy_answer_mistake(struct glupy_answer *answer, struct glupy_request *request, const void *passed)
{
    glupy_log_exception(request);
    if (request->instance->settings.pass_on_error && !request->out.wound)
        tail_unchanged(answer, request, passed);
    else
        fail(answer, EIO);
}

/* False when the exception does not say which errno to answer with. */
static bool
from_os_error(struct glupy_answer *answer, struct glupy_request *request, PyObject *error)
{
    int32_t op_errno = errno_of(request->instance->state, error);
    PyObject *xdata = attribute(error, request->instance->state->str_xdata);

    Py_XDECREF(xdata);
    /* First, since a child may well fail with errno 0: features/locks does. */
    if (!xdata && from_carried_reply(answer, request, error, op_errno))
        return true;
    if (!op_errno)
        op_errno = errno_of_class(error);
    if (!op_errno)
        return false;
    fail(answer, op_errno);
    take_error_xdata(answer, request, error);
    return true;
}

static void
from_exception(struct glupy_answer *answer, struct glupy_request *request, const void *passed)
{
    PyObject *error = request->progress.exception;

    request->progress.exception = NULL;
    if (PyErr_GivenExceptionMatches(error, PyExc_OSError) && from_os_error(answer, request, error)) {
        Py_DECREF(error);
        return;
    }
    PyErr_SetRaisedException(error);
    glupy_answer_mistake(answer, request, passed);
}

/* A success that tells of an inode, and of no gfid: fuse links the inode to its table by the gfid, and goes on with NULL
 * where that fails. */
static bool
lacks_gfid(struct glupy_reply *reply)
{
    for (unsigned i = 0; i + 1u < reply->fop->nreply; i++) {
        const struct glupy_field *buf = &reply->fop->reply[i + 1];

        if (reply->fop->reply[i].kind == &glupy_kind_inode && buf->kind == &glupy_kind_iatt) {
            PyObject *object = reply->slot[i + 1];
            struct iatt *iatt = object ? ((struct glupy_iatt *)object)->iatt : glupy_held(buf, reply->held);

            return reply->op_ret >= 0 && (object == Py_None || gf_uuid_is_null(iatt->ia_gfid));
        }
    }
    return false;
}

/* Whether the request can be answered with it; TypeError or ValueError otherwise. */
static bool
is_answer(struct glupy_request *request, PyObject *outcome)
{
    const char *name = request->fop->name;

    if (glupy_is_reply(outcome)) {
        struct glupy_reply *reply = (struct glupy_reply *)outcome;

        if (reply->fop == request->fop && !(reply->fop->linked && lacks_gfid(reply)))
            return true;
        if (reply->fop != request->fop)
            PyErr_Format(PyExc_TypeError, "%s was answered with a %s", name, Py_TYPE(outcome)->tp_name);
        else
            PyErr_Format(PyExc_ValueError, "%s was answered with a buf that has no ia_gfid", name);
    } else if (glupy_is_wind(outcome)) {
        struct glupy_wind *wind = (struct glupy_wind *)outcome;

        if (wind->fop == request->fop && wind->base.stage == GLUPY_NEW)
            return true;
        PyErr_Format(PyExc_TypeError,
                     wind->fop != request->fop ? "%s was answered with a wind of %s: await it and build the reply"
                                               : "%s was answered with a wind of %s that has been awaited before",
                     name, wind->fop->name);
    } else if (outcome == Py_None) {
        PyErr_Format(PyExc_TypeError, "%s returned None after its work: return the reply, or raise OSError", name);
    } else {
        PyObject *shown = glupy_shown(outcome);

        PyErr_Format(PyExc_TypeError, "%s returned %V: expected a reply, a wind, glupy.fail(errno), or OSError raised", name, shown,
                     "something");
        Py_XDECREF(shown);
    }
    return false;
}

static void
from_failure(struct glupy_answer *answer, PyObject *failure)
{
    int32_t op_errno;

    glupy_failure_take(failure, &op_errno, &answer->xdata);
    fail(answer, op_errno);
}

static void
from_outcome(struct glupy_answer *answer, struct glupy_request *request, const void *passed)
{
    PyObject *outcome = request->progress.outcome;

    request->progress.outcome = NULL;
    if (outcome == Py_None && !request->progress.was_coroutine) {
        tail_unchanged(answer, request, passed);
    } else if (glupy_is_failure(request->instance->state, outcome)) {
        from_failure(answer, outcome);
    } else if (!is_answer(request, outcome)) {
        glupy_answer_mistake(answer, request, passed);
    } else if (glupy_is_reply(outcome)) {
        from_reply(answer, request, (struct glupy_reply *)outcome, true);
    } else {
        tail_wind(answer, request, (struct glupy_wind *)outcome, passed);
    }
    Py_DECREF(outcome);
}

static void
count(const struct glupy_answer *answer, struct glupy_request *request)
{
    bool failed = answer->how == GLUPY_FAIL || answer->op_ret < 0;

    glupy_stats_answered(&request->timing,
                         answer->how == GLUPY_TAIL ? GLUPY_PASSED_ON : failed ? GLUPY_FAILED : GLUPY_SUCCEEDED,
                         answer->op_errno);
}

static void
leave_version(struct glupy_version *version)
{
    if (--version->requests == 0 && version->replaced)
        version->instance->versions.left(version);
}

static void
free_request(struct glupy_request *request)
{
    if (request->fop)
        request->instance->flavour->free(request);
    glupy_rest_clear(request);
    if (request->fop)
        leave_version(request->version);
    if (request->fop && --request->instance->life.requests == 0 && request->instance->life.down)
        request->instance->life.idle(request->instance);
    Py_XDECREF(request->identity);
    Py_DECREF(request->instance);
    glupy_request_free(request);
}

void
glupy_answer_native(struct glupy_answer *answer, struct glupy_request *request, const void *passed)
{
    if (request->progress.exception)
        from_exception(answer, request, passed);
    else
        from_outcome(answer, request, passed);
}

static void
end_unanswered(struct glupy_answer *answer, struct glupy_request *request)
{
    answer->how = GLUPY_END;
    answer->op_ret = -1;
    answer->op_errno = ENOTCONN;
    Py_CLEAR(request->progress.outcome);
    Py_CLEAR(request->progress.exception);
}

void
glupy_answer_prepare(struct glupy_answer *answer, struct glupy_request *request, const void *passed)
{
    answer->fop = request->fop;
    answer->frame = request->frame;
    answer->interpreter = request->interpreter;
    answer->xdata = NULL;
    answer->keep = NULL;
    if (!request->fop) {
        answer->how = GLUPY_END; /* it was counted when who waits for it heard (background.c) */
    } else {
        if (request->instance->this)
            request->instance->flavour->answer(answer, request, passed);
        else /* who asked is gone with the graph, and so are the frame and all that it leads to */
            end_unanswered(answer, request);
        count(answer, request);
    }
    free_request(request);
}

static void
unwind(struct glupy_answer *answer)
{
    union glupy_any_reply passed;

    answer->fop->lend(&answer->held, &passed);
    glupy_calls_of(answer->fop)->unwind(answer->frame, answer->op_ret, answer->op_errno, &passed);
    answer->fop->drop(&answer->held);
}

static void
unwind_failure(struct glupy_answer *answer)
{
    union glupy_any_reply passed;

    memset(&passed, 0, sizeof(passed));
    for (unsigned i = 0; i < answer->fop->nreply; i++)
        if (answer->xdata && strcmp(answer->fop->reply[i].name, "xdata") == 0)
            *(dict_t **)glupy_passed(&answer->fop->reply[i], &passed) = answer->xdata;
    glupy_calls_of(answer->fop)->unwind(answer->frame, -1, answer->op_errno, &passed);
    if (answer->xdata)
        dict_unref(answer->xdata);
}

static void
drop_kept(struct glupy_thread *thread, void *keep)
{
    (void)thread;
    Py_DECREF((PyObject *)keep);
}

static void
tail(struct glupy_answer *answer, struct glupy_thread *thread, enum glupy_place place)
{
    if (answer->keep)
        glupy_drops_owe(thread);
    if (!glupy_calls_of(answer->fop)->tail(answer->frame, answer->child, answer->passed)) {
        answer->op_errno = ENOTSUP;
        unwind_failure(answer);
    }
    if (answer->keep) {
        glupy_call_python(thread, place, answer->interpreter, GLUPY_SHORT, drop_kept, answer->keep);
        glupy_drops_paid(thread);
    }
}

void
glupy_answer_deliver(struct glupy_answer *answer, struct glupy_thread *thread, enum glupy_place place)
{
    switch (answer->how) {
        case GLUPY_UNWIND:
            unwind(answer);
            break;
        case GLUPY_FAIL:
            unwind_failure(answer);
            break;
        case GLUPY_TAIL:
            tail(answer, thread, place);
            break;
        case GLUPY_END:
            break;
    }
}
