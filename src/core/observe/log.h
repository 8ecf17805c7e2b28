/* Saying what went wrong, in GlusterFS's log. */
#ifndef GLUPY_LOG_H
#define GLUPY_LOG_H

#include "base/gluster.h"
#include "python/state.h"
#include "python/thread.h"

/* Up to which level entries are written with this THIS: the rule of skip_logging() in logging.c. */
static inline gf_loglevel_t
glupy_log_level(const xlator_t *as)
{
    gf_loglevel_t own = __atomic_load_n(&as->loglevel, __ATOMIC_RELAXED); /* options change meanwhile */

    return own ? own : as->ctx ? as->ctx->log.loglevel : GF_LOG_NONE;
}

/* Log the current exception with its traceback; clears it. `name` is the translator's, `doing` what went wrong: a fop or
 * what else was being done; `about` is the path, or NULL or None. Attached. */
void glupy_log_raised(struct glupy_state *state, const char *name, const char *doing, PyObject *about);

/* One entry in the log. Attached; detaches while it writes. */
void glupy_log(struct glupy_state *state, const char *name, gf_loglevel_t level, const char *file, int line,
               const char *function, const char *text);

/* The same with `as` for whom the thread works: its level decides, and its graph is named. Attached, which keeps it alive. */
void glupy_log_entry(struct glupy_state *state, xlator_t *as, const char *name, gf_loglevel_t level, const char *file, int line,
                     const char *function, const char *text);

/* log() and log_level() of the module and of Instance: see the docstrings. `as` is the xlator whose level decides and
 * whose graph the entry names. Attached, which keeps it alive. */
PyObject *glupy_log_as(struct glupy_state *state, xlator_t *as, PyObject *args);
PyObject *glupy_log_level_of(xlator_t *as);

/* log_file() and _half_line() of the module. */
PyObject *glupy_log_file_method(PyObject *module, PyObject *unused);
PyObject *glupy_half_line_method(PyObject *module, PyObject *unused);

/* The thread is about to leave an interpreter in which it has printed half a line. Attached; leaves an exception as it is. */
void glupy_log_half_lines(struct glupy_thread *thread);

PyObject *glupy_log_method(PyObject *module, PyObject *args);
PyObject *glupy_log_level_method(PyObject *module, PyObject *unused);

#endif
