/* Giving up what was begun: when a task is cancelled, all that its coroutine waits for.
 *
 * What can be taken back is: a timer, a place among those who wait for a Future, a function that no thread has begun. What
 * cannot (a wind that is out) is waited for by its request as before, and dropped when it comes. Coroutines inside are
 * closed, the innermost first, when all is given up; nobody hears of how they end. */
#ifndef GLUPY_WITHDRAW_H
#define GLUPY_WITHDRAW_H

#include "request/request.h"

/* Who waits for it does no longer. Nothing where it is not armed, or NULL. Attached, by the request's runner. */
void glupy_withdraw(struct glupy_request *request, struct glupy_awaitable *awaitable);

/* It has been yielded and is not to be begun: neither are those inside. Attached, by the request's runner. */
void glupy_withdraw_new(struct glupy_request *request, struct glupy_awaitable *awaitable);

#endif
