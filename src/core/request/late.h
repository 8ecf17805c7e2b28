/* Winds that nobody waits for any more: given up while the child has them, because time was over (limit.h). */
#ifndef GLUPY_LATE_H
#define GLUPY_LATE_H

struct glupy_late_wind;
struct glupy_wind;

/* What remembers the wind, and keeps it, until it is back; the instance is not to end before. NULL without memory. Attached. */
struct glupy_late_wind *glupy_late_wind_new(struct glupy_wind *wind);

/* It was not needed. Attached. */
void glupy_late_wind_free(struct glupy_late_wind *self);

/* The reply has come, and is nobody's: let go of the wind. Any thread and stack, not attached. */
void glupy_late_wind_back(struct glupy_late_wind *self);

#endif
