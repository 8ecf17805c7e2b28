/* Alarms in the order in which they are due: a binary heap. Whoever has one guards it. */
#ifndef GLUPY_ALARMS_H
#define GLUPY_ALARMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Part of what it is for; zeroed before its first use, and kept while it is set. */
struct glupy_alarm {
    void (*ring)(struct glupy_alarm *alarm); /* called once: must be short and must not wait */
    uint64_t when;
    size_t place; /* in the heap, counted from 1; 0: it is not set */
};

struct glupy_alarms {
    struct glupy_alarm **heap; /* the first one is due first */
    size_t count, room;
};

/* Put in one that is not set. False without memory. */
bool glupy_alarms_put(struct glupy_alarms *alarms, struct glupy_alarm *alarm, uint64_t when);

/* Take out one that is. */
void glupy_alarms_take(struct glupy_alarms *alarms, struct glupy_alarm *alarm);

#endif
