/* Looking for requests that wait for long. See patience.h. The lock keeps instances in place while they are looked at; it may be
 * taken with the interpreter attached, and is never held while attaching. */
#include "observe/patience.h"

#include <pthread.h>

#include "python/clock.h"

#define LOOKS 4                  /* in the time of the least patient */
#define OFTEN UINT64_C(10000000) /* not more often than every 10 ms */

static struct {
    pthread_mutex_t lock;
    struct list_head known; /* glupy_patience.link */
    struct glupy_alarm alarm;
    bool looking; /* it is set */
} all = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .known = {&all.known, &all.known},
};

/* `look` is there once there is a time: an instance is known before it is complete. */
static uint64_t
of(struct glupy_patience *one)
{
    uint64_t nanoseconds = atomic_load_explicit(&one->nanoseconds, memory_order_acquire);

    return nanoseconds && one->look ? nanoseconds : 0;
}

static uint64_t
least(void)
{
    struct glupy_patience *one;
    uint64_t found = 0;

    list_for_each_entry(one, &all.known, link)
    {
        if (of(one) && (!found || of(one) < found))
            found = of(one);
    }
    return found;
}

static void look(struct glupy_alarm *alarm);

/* With the lock held. */
static void
look_again(void)
{
    uint64_t soon = least(), wait = soon / LOOKS;

    all.alarm.ring = look;
    all.looking = soon && glupy_clock_set(&all.alarm, glupy_now() + (wait > OFTEN ? wait : OFTEN));
}

static void
look(struct glupy_alarm *alarm)
{
    struct glupy_patience *one;
    uint64_t now = glupy_now();

    (void)alarm;
    pthread_mutex_lock(&all.lock);
    list_for_each_entry(one, &all.known, link)
    {
        if (of(one))
            one->look(one, of(one), now);
    }
    look_again();
    pthread_mutex_unlock(&all.lock);
}

void
glupy_patience_begins(struct glupy_patience *self)
{
    pthread_mutex_lock(&all.lock);
    list_add_tail(&self->link, &all.known);
    pthread_mutex_unlock(&all.lock);
}

void
glupy_patience_forget(struct glupy_patience *self)
{
    pthread_mutex_lock(&all.lock);
    list_del_init(&self->link);
    pthread_mutex_unlock(&all.lock);
}

/* Who becomes less patient is looked at in time: with the alarm that is set, that could be much later. */
void
glupy_patience_is(struct glupy_patience *self, uint64_t nanoseconds)
{
    atomic_store_explicit(&self->nanoseconds, nanoseconds, memory_order_release);
    pthread_mutex_lock(&all.lock);
    if (nanoseconds && (!all.looking || glupy_clock_unset(&all.alarm)))
        look_again();
    pthread_mutex_unlock(&all.lock);
}
