/* What a tick is. See ticks.h. */
#include "ticks.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

bool glupy_ticks_counted;

static struct {
    uint64_t ticks, nanoseconds;
} start;

/* Does the kernel keep time by the counter that we would read? */
static bool
kernel_trusts_counter(void)
{
    char name[64] = "";
    FILE *file = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");

    if (!file)
        return false;
    if (fgets(name, sizeof(name), file))
        name[strcspn(name, "\n")] = '\0';
    fclose(file);
    return *name && strcmp(name, GLUPY_CLOCKSOURCE) == 0;
}

static void
find_counter(void)
{
    glupy_ticks_counted = kernel_trusts_counter();
    start.nanoseconds = glupy_now();
    start.ticks = glupy_ticks();
}

void
glupy_ticks_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, find_counter);
}

double
glupy_ticks_nanoseconds(void)
{
    uint64_t nanoseconds = glupy_now() - start.nanoseconds;
    uint64_t ticks = glupy_ticks_between(start.ticks, glupy_ticks());

    return glupy_ticks_counted && ticks ? (double)nanoseconds / (double)ticks : 1.0;
}
