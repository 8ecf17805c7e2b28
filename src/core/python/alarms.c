/* A binary heap of alarms. See alarms.h. */
#include "python/alarms.h"

#include <stdlib.h>

static void
put(struct glupy_alarms *alarms, size_t at, struct glupy_alarm *alarm)
{
    alarms->heap[at] = alarm;
    alarm->place = at + 1;
}

static void
sift_up(struct glupy_alarms *alarms, size_t at, struct glupy_alarm *moving)
{
    for (; at && alarms->heap[(at - 1) / 2]->when > moving->when; at = (at - 1) / 2)
        put(alarms, at, alarms->heap[(at - 1) / 2]);
    put(alarms, at, moving);
}

static void
sift_down(struct glupy_alarms *alarms, size_t at, struct glupy_alarm *moving)
{
    size_t child;

    while ((child = 2 * at + 1) < alarms->count) {
        if (child + 1 < alarms->count && alarms->heap[child + 1]->when < alarms->heap[child]->when)
            child++;
        if (alarms->heap[child]->when >= moving->when)
            break;
        put(alarms, at, alarms->heap[child]);
        at = child;
    }
    put(alarms, at, moving);
}

#define LEAST_ROOM 64u

/* A crowd of alarms that has gone leaves no memory behind; without any to move to, the old one will do. */
static void
give_room_back(struct glupy_alarms *alarms)
{
    struct glupy_alarm **smaller;

    if (alarms->room <= LEAST_ROOM || alarms->count > alarms->room / 4)
        return;
    smaller = realloc(alarms->heap, alarms->room / 2 * sizeof(*smaller));
    if (!smaller)
        return;
    alarms->heap = smaller;
    alarms->room /= 2;
}

/* The last one takes the place that becomes free, and then its own. */
void
glupy_alarms_take(struct glupy_alarms *alarms, struct glupy_alarm *alarm)
{
    size_t at = alarm->place - 1;
    struct glupy_alarm *last = alarms->heap[--alarms->count];

    if (last != alarm && at && alarms->heap[(at - 1) / 2]->when > last->when)
        sift_up(alarms, at, last);
    else if (last != alarm)
        sift_down(alarms, at, last);
    alarm->place = 0;
    give_room_back(alarms);
}

static bool
make_room(struct glupy_alarms *alarms)
{
    size_t more = alarms->room ? 2 * alarms->room : LEAST_ROOM;
    struct glupy_alarm **grown;

    if (alarms->count < alarms->room)
        return true;
    grown = realloc(alarms->heap, more * sizeof(*grown));
    if (!grown)
        return false;
    alarms->heap = grown;
    alarms->room = more;
    return true;
}

bool
glupy_alarms_put(struct glupy_alarms *alarms, struct glupy_alarm *alarm, uint64_t when)
{
    if (!make_room(alarms))
        return false;
    alarm->when = when;
    sift_up(alarms, alarms->count++, alarm);
    return true;
}
