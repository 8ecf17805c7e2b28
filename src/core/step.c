/* Stepping coroutines: sending them on until they wait for something of ours or end. */
#include "compat.h"
#include "log.h"
#include "request.h"
#include "wind.h"

static struct glupy_awaitable **
awaits_of(struct glupy_request *request, struct glupy_task *task)
{
    return task ? &task->awaits : &request->rest.awaits;
}

static void
end(struct glupy_request *request, struct glupy_task *task, PyObject *value)
{
    PyObject *exception = value ? NULL : PyErr_GetRaisedException();

    Py_CLEAR(request->identity);
    glupy_rest_awaits(awaits_of(request, task), NULL);

    if (task) {
        Py_CLEAR(task->coroutine);
        task->value = value;
        task->exception = exception;
    } else {
        Py_CLEAR(request->coroutine);
        request->outcome = value;
        request->exception = exception;
        request->finished = true;
    }
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
                     "a fop cannot await %V: await winds (self.child.FOP(...)), glupy.gather, glupy.sleep, glupy.to_thread or "
                     "a glupy.Future",
                     shown, "this");
        Py_XDECREF(shown);
        return -1;
    }
    if (glupy_arm(request, awaitable, (struct glupy_awaitable *)task) != 0)
        return -1;
    return awaitable->stage == GLUPY_DONE;
}

static bool
is_cancelled(struct glupy_request *request)
{
    return atomic_load_explicit(&request->cancelled, memory_order_relaxed);
}

static void
raise_cancelled(void)
{
    PyErr_SetString(PyExc_RuntimeError, "cancelled: the graph of this translator has gone");
}

/* The graph is going: the coroutine's finally clauses run, and it may wait for nothing more. */
static void
close_cancelled(struct glupy_request *request, struct glupy_task *task, PyObject *coroutine)
{
    PyObject *close = PyObject_GetAttrString(coroutine, "close"), *closed = NULL;

    PyErr_Clear(); /* a wind or gather that is driven itself has none */
    if (close)
        closed = PyObject_CallNoArgs(close);
    if (!PyErr_Occurred())
        raise_cancelled();
    Py_XDECREF(close);
    Py_XDECREF(closed);
    end(request, task, NULL);
}

/* `return self.child.…()` under as_root(): the frame cannot be handed on, so the wind is awaited in the fop's stead. */
static bool
goes_on(struct glupy_request *request, struct glupy_task *task, PyObject *value)
{
    if (task || !request->fop || !glupy_is_wind(value) || glupy_wind_can_tail(value))
        return false;
    Py_SETREF(request->coroutine, value);
    return true;
}

/* For those who ask what it waits for. The line of the await costs more to find, and nobody sees it unless the request
 * comes to rest: one that has rested before is likely to do so again, the others are asked when they do (request.c). */
static void
waits(struct glupy_request *request, struct glupy_task *task, PyObject *awaitable)
{
    glupy_rest_awaits(awaits_of(request, task), awaitable);
    if (!task && request->owns_args)
        glupy_rest_locate(request);
}

static void
step(struct glupy_request *request, struct glupy_task *task)
{
    PyObject *coroutine = task ? task->coroutine : request->coroutine;

    if (coroutine && is_cancelled(request)) {
        close_cancelled(request, task, coroutine);
        return;
    }
    glupy_rest_awaits(awaits_of(request, task), NULL); /* it would be kept alive until the next await */

    while (coroutine) {
        PyObject *result;
        PySendResult sent = PyIter_Send(coroutine, Py_None, &result);

        while (sent == PYGEN_NEXT) {
            int begun = begin(request, task, result);

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
            coroutine = request->coroutine;
        } else if (sent != PYGEN_NEXT) {
            end(request, task, sent == PYGEN_RETURN ? result : NULL);
            return;
        }
    }
}

/* frame.as_root() is in force for the coroutine that entered it, not for those beside it in a gather. */
void
glupy_step(struct glupy_request *request, struct glupy_task *task)
{
    struct glupy_identity *own = request->identity;

    if (!task) {
        step(request, NULL);
        return;
    }
    request->identity = task->identity;
    task->identity = NULL;
    step(request, task);
    task->identity = request->identity;
    request->identity = own;
}

int
glupy_arm(struct glupy_request *request, struct glupy_awaitable *awaitable, struct glupy_awaitable *waiter)
{
    int armed;

    if (is_cancelled(request)) {
        raise_cancelled();
        return -1;
    }
    if (awaitable->stage == GLUPY_DONE)
        return 0;
    if (awaitable->stage == GLUPY_ARMED) {
        PyErr_Format(PyExc_RuntimeError, "this %s is being awaited already", awaitable->ops->name);
        return -1;
    }
    awaitable->request = request;
    awaitable->waiter = (struct glupy_awaitable *)Py_XNewRef(waiter);
    awaitable->stage = GLUPY_ARMED;
    armed = awaitable->ops->arm(awaitable, request);
    if (armed == 0) {
        if (!awaitable->ops->heard) { /* completed through the ready list: kept alive until it comes back */
            Py_INCREF(awaitable);
            request->outstanding++;
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
        glupy_step(request, NULL);
    }
}
