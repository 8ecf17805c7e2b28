/* Stepping coroutines: sending them on until they wait for something of ours or end. */
#include "base/compat.h"
#include "request/limit.h"
#include "request/native.h"
#include "request/request.h"
#include "request/subject.h"
#include "request/wind.h"
#include "request/withdraw.h"
#include "values/types/types.h"

static struct glupy_awaitable **
awaits_of(struct glupy_request *request, struct glupy_task *task)
{
    return task ? &task->awaits : &request->rest.awaits;
}

/* Nothing is driven any more. */
static void
let_go(struct glupy_request *request, struct glupy_task *task)
{
    Py_CLEAR(request->identity);
    glupy_limits_end(glupy_limits_of(request, task));
    glupy_rest_awaits(awaits_of(request, task), NULL);
    if (task)
        Py_CLEAR(task->coroutine);
    else
        Py_CLEAR(request->progress.coroutine);
}

static void
end(struct glupy_request *request, struct glupy_task *task, PyObject *value)
{
    if (task) {
        glupy_outcome_set(&task->outcome, value);
    } else {
        request->progress.outcome = value;
        request->progress.exception = value ? NULL : PyErr_GetRaisedException();
        request->progress.finished = true;
    }
    let_go(request, task);
}

/* Throw the current exception into the coroutine where it waits, so that the traceback shows the line. */
static PySendResult
throw_current(PyObject *coroutine, PyObject **result)
{
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *throw = PyObject_GetAttrString(coroutine, "throw");

    if (!throw) { /* a bare iterator that an author's __await__ gave */
        PyErr_SetRaisedException(exception);
        *result = NULL;
        return PYGEN_ERROR;
    }
    *result = PyObject_CallOneArg(throw, exception);
    Py_DECREF(throw);
    Py_DECREF(exception);
    if (*result)
        return PYGEN_NEXT;
    if (!PyErr_ExceptionMatches(PyExc_StopIteration))
        return PYGEN_ERROR;
    exception = PyErr_GetRaisedException();
    *result = PyObject_GetAttrString(exception, "value");
    Py_DECREF(exception);
    return *result ? PYGEN_RETURN : PYGEN_ERROR;
}

/* What the coroutine yielded is begun. 1: it is done at once, 0: wait, -1: it cannot be awaited here. */
static int
begin(struct glupy_request *request, struct glupy_task *task, PyObject *yielded)
{
    struct glupy_awaitable *awaitable = (struct glupy_awaitable *)yielded;

    if (!glupy_is_awaitable(yielded)) {
        PyObject *shown = glupy_shown(yielded);

        PyErr_Format(PyExc_TypeError,
                     "a fop cannot await %V: await winds (self.child.FOP(...)), glupy.gather, glupy.sleep, glupy.to_thread, "
                     "a glupy.Future or a Task",
                     shown, "this");
        Py_XDECREF(shown);
        return -1;
    }
    if (glupy_limits_over(*glupy_limits_of(request, task))) {
        PyObject *raised = PyErr_GetRaisedException(); /* closing what is inside may run an author's code */

        glupy_withdraw_new(request, awaitable);
        PyErr_SetRaisedException(raised);
        return -1;
    }
    if (glupy_arm(request, awaitable, (struct glupy_awaitable *)task) != 0)
        return -1;
    return awaitable->stage == GLUPY_DONE;
}

/* Its finally clauses run, and may wait for nothing more. 0, or -1 with the exception that came of it. */
static int
close_coroutine(PyObject *coroutine)
{
    PyObject *close, *closed;

    if (glupy_is_awaitable(coroutine)) /* a wind or gather that is driven itself */
        return 0;
    close = PyObject_GetAttrString(coroutine, "close");
    closed = close ? PyObject_CallNoArgs(close) : NULL;
    Py_XDECREF(close);
    Py_XDECREF(closed);
    return closed ? 0 : -1;
}

/* Nobody will ask for what becomes of it: of a mistake in a finally clause the log must tell. */
static void
close_task(struct glupy_request *request, struct glupy_task *task)
{
    PyObject *coroutine = Py_NewRef(task->coroutine);

    if (close_coroutine(coroutine) != 0) {
        PyObject *error = PyErr_GetRaisedException(), *name = PyObject_GetAttrString(coroutine, "__qualname__");

        PyErr_SetRaisedException(error);
        glupy_log_exception_of(request, "cancelling", name);
        Py_XDECREF(name);
    }
    let_go(request, task);
    Py_DECREF(coroutine);
}

static void
close_own(struct glupy_request *request)
{
    request->task.closed = close_coroutine(request->progress.coroutine) == 0;
    if (request->task.closed && glupy_instance_alive(request->instance))
        PyErr_SetString(PyExc_RuntimeError, request->instance->tasks.going
                                                ? "cancelled: the graph of this translator has gone"
                                                : "cancelled: cancel() of this task was called");
    end(request, NULL, NULL);
}

void
glupy_step_cancelled(struct glupy_request *request)
{
    if (request->progress.finished || !request->progress.coroutine)
        return;
    glupy_withdraw(request, request->rest.awaits);
    close_own(request);
}

/* `return self.child.…()` under as_root(): the frame cannot be handed on, so the wind is awaited in the fop's stead. So it
 * is when the reply has to be seen for the sake of a context. */
static bool
goes_on(struct glupy_request *request, struct glupy_task *task, PyObject *value)
{
    if (task || !request->fop || !glupy_is_wind(value) || glupy_can_tail(request, value))
        return false;
    Py_SETREF(request->progress.coroutine, value);
    return true;
}

/* For those who ask what it waits for. The line of the await costs more to find, and nobody sees it unless the request
 * comes to rest: one that has rested before is likely to do so again, the others are asked when they do (request.c). */
static void
waits(struct glupy_request *request, struct glupy_task *task, PyObject *awaitable)
{
    glupy_rest_awaits(awaits_of(request, task), awaitable);
    if (!task && request->arrival.owns_args)
        glupy_rest_locate(request);
}

/* What was just stepped on, or was about to be; what it has yielded, if it has, is not begun. Of a gather around it, and who
 * awaits that, the rest is ended when all that has come in is handed out (glupy_step_cancelled()). Takes a reference. */
static void
end_cancelled(struct glupy_request *request, struct glupy_task *task, PyObject *yielded)
{
    if (yielded && glupy_is_awaitable(yielded))
        glupy_withdraw_new(request, (struct glupy_awaitable *)yielded);
    Py_XDECREF(yielded);
    if (!task) {
        close_own(request);
        return;
    }
    close_task(request, task);
    PyErr_SetNone(PyExc_GeneratorExit);
    glupy_outcome_set(&task->outcome, NULL);
}

static void
step(struct glupy_request *request, struct glupy_task *task)
{
    PyObject *coroutine = task ? task->coroutine : request->progress.coroutine;
    struct glupy_limit **limits = glupy_limits_of(request, task);

    glupy_rest_awaits(awaits_of(request, task), NULL); /* it would be kept alive until the next await */

    while (coroutine) {
        PySendResult sent;
        PyObject *result;

        if (glupy_request_cancelled(request)) {
            end_cancelled(request, task, NULL);
            return;
        }
        if (glupy_limits_raise(*limits))
            sent = throw_current(coroutine, &result);
        else
            sent = PyIter_Send(coroutine, Py_None, &result);
        while (sent == PYGEN_NEXT) {
            int begun;

            if (glupy_request_cancelled(request)) { /* by its own code, or while that ran */
                end_cancelled(request, task, result);
                return;
            }
            begun = begin(request, task, result);
            if (begun == 0)
                waits(request, task, result);
            Py_DECREF(result);
            if (begun == 0)
                return;
            if (begun > 0)
                break;
            sent = throw_current(coroutine, &result);
        }
        if (sent == PYGEN_RETURN && goes_on(request, task, result)) {
            coroutine = request->progress.coroutine;
        } else if (sent != PYGEN_NEXT) {
            end(request, task, sent == PYGEN_RETURN ? result : NULL);
            return;
        }
    }
}

/* frame.as_root() is in force for the coroutine that entered it, not for those beside it in a gather. */
static void
as_task(struct glupy_request *request, struct glupy_task *task,
        void (*fn)(struct glupy_request *request, struct glupy_task *task))
{
    struct glupy_identity *own = request->identity;
    struct glupy_task *outer = request->progress.driven;

    request->progress.driven = task;
    request->identity = task->identity;
    task->identity = NULL;
    fn(request, task);
    task->identity = request->identity;
    request->identity = own;
    request->progress.driven = outer;
}

void
glupy_step_task(struct glupy_request *request, struct glupy_task *task)
{
    as_task(request, task, step);
}

void
glupy_step_close(struct glupy_request *request, struct glupy_task *task)
{
    if (task->coroutine)
        as_task(request, task, close_task);
}

/* Turns */

/* What was begun last goes on first, as it would if each called the next. */
void
glupy_queue(struct glupy_request *request, struct glupy_awaitable *awaitable)
{
    if (awaitable->queued)
        return;
    awaitable->queued = true;
    awaitable->next = request->progress.turns;
    request->progress.turns = (struct glupy_awaitable *)Py_NewRef(awaitable);
}

static void
take_turn(struct glupy_request *request)
{
    struct glupy_awaitable *awaitable = request->progress.turns;

    request->progress.turns = awaitable->next;
    awaitable->queued = false;
    if (awaitable->stage == GLUPY_ARMED) /* it may have been given up meanwhile */
        awaitable->ops->proceed(awaitable, request);
    Py_DECREF(awaitable);
}

void
glupy_take_turns(struct glupy_request *request)
{
    for (;;) {
        if (request->progress.turns) {
            take_turn(request);
        } else if (request->progress.own_turn) {
            request->progress.own_turn = false;
            request->progress.too_deep = 0;
            step(request, NULL);
        } else {
            return;
        }
    }
}

void
glupy_step(struct glupy_request *request)
{
    request->progress.own_turn = true;
    glupy_take_turns(request);
}

/* Nothing overflows however deep awaitables are nested; but what nests without end must end, as calls do. A coroutine that
 * gathers itself twice would still take 2 to the power of the limit to end: when so many have met the limit, nothing nested
 * begins any more before the request's own coroutine has heard of it. */
static bool
nests_too_deep(struct glupy_request *request, struct glupy_awaitable *awaitable, struct glupy_awaitable *waiter)
{
    unsigned most = (unsigned)Py_GetRecursionLimit();

    awaitable->depth = waiter->depth + 1;
    if (awaitable->depth <= most && request->progress.too_deep <= most)
        return false;
    request->progress.too_deep++;
    PyErr_Format(PyExc_RecursionError, "maximum recursion depth exceeded: %u awaitables that wait for each other", most);
    return true;
}

int
glupy_arm(struct glupy_request *request, struct glupy_awaitable *awaitable, struct glupy_awaitable *waiter)
{
    int armed;

    if (awaitable->stage == GLUPY_DONE)
        return 0;
    if (awaitable->stage >= GLUPY_ARMED) {
        glupy_cannot_await(awaitable);
        return -1;
    }
    if (waiter && nests_too_deep(request, awaitable, waiter))
        return -1;
    awaitable->request = request;
    awaitable->limited = waiter ? waiter->limited : request->progress.limited;
    awaitable->waiter = (struct glupy_awaitable *)Py_XNewRef(waiter);
    awaitable->stage = GLUPY_ARMED;
    armed = awaitable->ops->arm(awaitable, request);
    if (armed == 0) {
        if (!awaitable->ops->heard) { /* completed through the ready list: kept alive until it comes back */
            Py_INCREF(awaitable);
            request->out.count++;
        }
        return 0;
    }
    awaitable->stage = GLUPY_DONE;
    Py_CLEAR(awaitable->waiter);
    return armed < 0 ? -1 : 0;
}

void
glupy_deliver(struct glupy_request *request, struct glupy_awaitable *awaitable)
{
    struct glupy_awaitable *waiter = awaitable->waiter;

    awaitable->waiter = NULL;
    if (waiter) {
        waiter->ops->heard(waiter, request, awaitable);
        Py_DECREF(waiter);
    } else {
        request->progress.own_turn = true;
    }
}
