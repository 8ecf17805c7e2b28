/* GlusterFS's memory pools in a process that is no GlusterFS process: plain Python that imports glupy. */
#ifndef GLUPY_STANDALONE_H
#define GLUPY_STANDALONE_H

/* Make sure that libglusterfs has a context to allocate dicts and buffers from: create the process's global one where
 * there is none. Idempotent, safe from any thread. 0, or -1 (no memory). */
int glupy_standalone(void);

#endif
