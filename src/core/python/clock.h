/* Timers: at a given time, complete what a coroutine waits for. */
#ifndef GLUPY_CLOCK_H
#define GLUPY_CLOCK_H

#include "python/alarms.h"

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t glupy_now(void);

/* Have the alarm, which is not set, ring at `when` on the clock's thread. False without memory or thread. */
bool glupy_clock_set(struct glupy_alarm *alarm, uint64_t when);

/* It is not to ring. False where it was not set, or has begun to ring. */
bool glupy_clock_unset(struct glupy_alarm *alarm);

/* What sleeps go by: these functions, or in the process of a test those of a time that the test moves (held_clock.h). An alarm
 * is unset where it was set. */
struct glupy_timers {
    uint64_t (*now)(void);
    bool (*set)(struct glupy_alarm *alarm, uint64_t when);
    bool (*unset)(struct glupy_alarm *alarm);
};

const struct glupy_timers *glupy_timers(void);
const struct glupy_timers *glupy_timers_real(void);
void glupy_timers_replace(const struct glupy_timers *timers);

#endif
