/* Work that takes a while and needs nothing, for a layer in C that is to take as long as one in Python (computing.c). */
#ifndef BENCH_COMPUTING_H
#define BENCH_COMPUTING_H

/* Compute for so long as a coroutine with one await does on either side of it. */
void bench_compute(void);

#define COMPUTE() bench_compute()

#endif
