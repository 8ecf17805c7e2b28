/* The processor's own counter: reading it takes a fifth to a tenth of what the kernel's clock takes, where the kernel does
 * not keep time by it (kvm-clock: 60 to 140 ns against 12), and half of it where it does. */
#ifndef GLUPY_COUNTER_H
#define GLUPY_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
/* Not <x86intrin.h>, whose vector instructions are five sixths of what a file of the core would take to compile. */
#define GLUPY_COUNTER() __builtin_ia32_rdtsc()
#elif defined(__aarch64__)
#define GLUPY_COUNTER()                                                                                                \
    ({                                                                                                                 \
        uint64_t counter_;                                                                                             \
        __asm__ volatile("mrs %0, cntvct_el0" : "=r"(counter_));                                                       \
        counter_;                                                                                                      \
    })
#else
#define GLUPY_COUNTER() UINT64_C(0)
#endif

/* Is there one that runs at one rate, whatever the processors do? Reads a file of the kernel's. */
bool glupy_counter_is_steady(void);

#endif
