/* Whether the processor's counter can be gone by. See counter.h.
 *
 * The processor says whether its rate stays: on x86 a bit of CPUID, on AArch64 its architecture. Whether that is so on all
 * processors alike, the kernel has found out: a counter that it took for unstable is not among its clock sources. By which
 * of them it keeps time is no matter. Those of virtual machines (kvm-clock, Hyper-V's, Xen's) are this counter, with a scale
 * and an offset that the host gives. */
#include "python/counter.h"

#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

#define NAME "tsc"
#define POWER_MANAGEMENT 0x80000007u /* the leaf; of its EDX */
#define INVARIANT (1u << 8)

static bool
stays(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(POWER_MANAGEMENT, &a, &b, &c, &d) && d & INVARIANT;
}
#elif defined(__aarch64__)
#define NAME "arch_sys_counter"

static bool
stays(void)
{
    return true;
}
#else
#define NAME ""

static bool
stays(void)
{
    return false;
}
#endif

/* True as well where there is no such file: in a sandbox the processor's word has to do. */
static bool
kernel_knows_it(void)
{
    char names[256] = "";
    FILE *file = fopen("/sys/devices/system/clocksource/clocksource0/available_clocksource", "re");
    char *rest, *name;

    if (!file)
        return true;
    if (!fgets(names, sizeof(names), file))
        *names = '\0';
    fclose(file);
    for (name = strtok_r(names, " \n", &rest); name; name = strtok_r(NULL, " \n", &rest))
        if (strcmp(name, NAME) == 0)
            return true;
    return false;
}

bool
glupy_counter_is_steady(void)
{
    return stays() && kernel_knows_it();
}
