/* What GlusterFS's macros for winding and unwinding do besides, in fewer instructions: for generated code alone.
 *
 * They look for THIS six to eight times a layer, each time by a call of the loader, and call _gf_msg() to write nothing: for
 * each failure strerror() first, with its locks. Here the place of THIS is the thread's, which knows it, and the level is
 * looked at before anything is made of a message. */
#ifndef GLUPY_STACK_H
#define GLUPY_STACK_H

#include "observe/log.h"
#include "python/thread.h"

#undef THIS
#define THIS (*glupy_this_place())

#define GLUPY_MSG(level, dom, errnum, fmt...)                                                                          \
    do {                                                                                                               \
        if (__builtin_expect(glupy_log_level(THIS) >= (level), 0))                                                     \
            _gf_msg(dom, __FILE__, __FUNCTION__, __LINE__, level, errnum, 0, 0, ##fmt);                                \
    } while (0)

#undef gf_msg_debug
#define gf_msg_debug(dom, errnum, fmt...) GLUPY_MSG(GF_LOG_DEBUG, dom, errnum, fmt)

#undef gf_msg_trace
#define gf_msg_trace(dom, errnum, fmt...) GLUPY_MSG(GF_LOG_TRACE, dom, errnum, fmt)

#endif
