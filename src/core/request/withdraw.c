/* Giving up what was begun. See withdraw.h. No recursion: an author's code may nest gathers as deeply as it likes. */
#include "request/withdraw.h"

/* A list, last in first out, which owns its members. Nobody waits for those that are given up: what leads to who does leads
 * to the next here. */
static void
push(struct glupy_awaitable **list, struct glupy_awaitable *awaitable)
{
    awaitable->waiter = *list;
    *list = awaitable;
}

static struct glupy_awaitable *
pop(struct glupy_awaitable **list)
{
    struct glupy_awaitable *first = *list;

    *list = first->waiter;
    first->waiter = NULL;
    return first;
}

/* Those that hear are put in the list, for what they wait for to be given up as well; the others are, at once. */
static void
give_up(struct glupy_request *request, struct glupy_awaitable *awaitable, struct glupy_awaitable **open)
{
    bool begun = awaitable->stage == GLUPY_ARMED;

    awaitable->stage = GLUPY_GIVEN_UP;
    Py_CLEAR(awaitable->waiter);
    if (awaitable->ops->heard) {
        push(open, (struct glupy_awaitable *)Py_NewRef(awaitable));
    } else if (begun && awaitable->ops->withdraw && awaitable->ops->withdraw(awaitable, request)) {
        request->out.count--;
        Py_DECREF(awaitable);
    }
}

/* One that somebody else has begun, or has ended, stays as it is. */
static void
give_up_parts(struct glupy_request *request, struct glupy_awaitable *whole, struct glupy_awaitable **open)
{
    struct glupy_awaitable *part;

    for (Py_ssize_t i = 0; (part = whole->ops->part(whole, i)); i++)
        if (part->stage == GLUPY_NEW || (part->stage == GLUPY_ARMED && part->waiter == whole))
            give_up(request, part, open);
}

/* In the list of those to be closed, what is inside comes before what is around it. */
static void
withdraw(struct glupy_request *request, struct glupy_awaitable *awaitable)
{
    struct glupy_awaitable *open = NULL, *given_up = NULL;

    Py_INCREF(awaitable);
    give_up(request, awaitable, &open);
    while (open) {
        struct glupy_awaitable *whole = pop(&open);

        push(&given_up, whole);
        give_up_parts(request, whole, &open);
    }
    while (given_up) {
        struct glupy_awaitable *whole = pop(&given_up);

        if (whole->ops->close)
            whole->ops->close(whole, request);
        Py_DECREF(whole);
    }
    Py_DECREF(awaitable);
}

void
glupy_withdraw(struct glupy_request *request, struct glupy_awaitable *awaitable)
{
    if (awaitable && awaitable->stage == GLUPY_ARMED)
        withdraw(request, awaitable);
}

void
glupy_withdraw_new(struct glupy_request *request, struct glupy_awaitable *awaitable)
{
    if (awaitable->stage == GLUPY_YIELDED)
        withdraw(request, awaitable);
}
