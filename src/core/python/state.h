/* What one interpreter knows of us: the module state of glupy._core. No PyObject is kept in a C static; whoever needs a
 * type or an object of ours reaches it here. */
#ifndef GLUPY_STATE_H
#define GLUPY_STATE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <glusterfs/list.h>
#include <stdatomic.h>

#include "base/cold.h"
#include "python/spares.h"

#define GLUPY_INODE_LOCKS 64u /* lists of them */

struct glupy_state {
    PyObject *module; /* borrowed: the module owns this state */
    unsigned interpreter; /* interpreter.h: which one it is the state of */
    unsigned away; /* threads that have detached for a call into GlusterFS with something of a graph in hand: whoever takes a
                      graph away waits for them. Under the interpreter's lock */

    /* values/types/: one type a file */
    PyTypeObject *gfid_type;
    PyTypeObject *iatt_type;
    PyTypeObject *mdata_type;
    PyTypeObject *inode_type;
    PyTypeObject *inode_table_type;
    PyTypeObject *fd_type;
    PyTypeObject *loc_type;
    PyTypeObject *xdata_type;
    PyTypeObject *buffer_type;
    PyTypeObject *statvfs_type;
    PyTypeObject *lk_owner_type;
    PyTypeObject *flock_type;
    PyTypeObject *lease_type;
    PyTypeObject *dirent_type;
    PyTypeObject *dirents_type;
    PyTypeObject *lock_entry_type; /* one entry of a LockList */
    PyTypeObject *locklist_type;
    PyTypeObject *failure_type; /* what fail() gives */
    PyTypeObject *frame_type;
    PyTypeObject *identity_type; /* what frame.as_root() gives */

    /* requests and winds */
    PyTypeObject *awaitable_type;
    PyTypeObject *reply_type; /* base of the generated reply types */
    PyTypeObject **reply_types; /* by index in glupy_fops[] */
    PyTypeObject *wind_type;
    PyTypeObject *call_type; /* what any_fop is given */
    PyTypeObject *gather_type;
    PyTypeObject *future_type;
    PyTypeObject *waiting_type; /* one await of a Future or Task */
    PyTypeObject *sleep_type;
    PyTypeObject *turn_type; /* one wait for one of the next three */
    PyTypeObject *mutex_type;
    PyTypeObject *semaphore_type;
    PyTypeObject *flag_type;
    PyTypeObject *limit_type; /* what timeout() gives */
    PyTypeObject *to_thread_type;
    PyTypeObject *child_type;
    PyTypeObject *instance_type;
    PyTypeObject *log_method_type; /* self.log.info */
    PyTypeObject *version_type; /* one loading of a translator's file (instance/version.h) */
    PyTypeObject *spawned_type; /* Task */
    PyTypeObject *cache_type, *cache_entry_type;
    PyTypeObject *classic_call_type; /* dl.wind_X and dl.unwind_X */

    /* memory of the types that each fop has objects of: spares.h */
    struct glupy_spares frame_spares;
    struct glupy_spares loc_spares;
    struct glupy_spares xdata_spares;
    struct glupy_spares wind_spares;
    struct glupy_spares inode_spares;
    struct glupy_spares fd_spares;
    struct glupy_spares *reply_spares; /* by index in glupy_fops[] */

    struct glupy_classic_state *classic; /* the classic API, once gluster.glupy was imported (classic.h) */
    const struct glupy_flavour *const *flavours;  /* instance/flavour.h: the one that all have at first, others, NULL */
    const struct glupy_context_keeper *contexts; /* who keeps inode.ctx and fd.ctx */
    PyObject *(*inode_lock)(PyObject *inode); /* inode.lock(): request/mutex.h */
    struct list_head inode_locks[GLUPY_INODE_LOCKS]; /* those there are, in no order */
    PyObject *nothing; /* an awaitable that is done */
    struct list_head holders; /* objects that own references into inode tables: holders.h */
    struct list_head endings; /* inode tables that are about to go: likewise */
    PyObject *runtime; /* the module glupy._runtime: what C asks of Python (load, format a traceback) */
    PyObject **failures; /* by errno: those without xdata, once somebody has asked for them */
    PyObject *str_xdata, *str_reply, *str_errno, *str_cr_await, *str_cr_frame;
};

/* The one state of the process, as long as there is one only: nearly always. A second one takes it away before it has any
 * object; what the first one's threads have just read stays right for them. */
extern _Atomic(struct glupy_state *) glupy_only_state;

/* A module is about to get its state, and has it. Attached. */
void glupy_state_begins(void);
void glupy_state_ready(struct glupy_state *state);

/* The state of the module that defined `type` (types of ours cannot be subclassed, so any object's type will do). */
static inline struct glupy_state *
glupy_state_of_type(PyTypeObject *type)
{
    struct glupy_state *only = atomic_load_explicit(&glupy_only_state, memory_order_relaxed);

    return only ? only : PyType_GetModuleState(type);
}

static inline struct glupy_state *
glupy_state_of(PyObject *self)
{
    return glupy_state_of_type(Py_TYPE(self));
}

/* Create a heap type from a spec, add it to the module under its name, store a reference in *slot. 0, or -1 with an
 * exception. Every type file's setup function ends in this call (state.c). */
int glupy_add_type(struct glupy_state *state, PyType_Spec *spec, PyTypeObject **slot);

#endif
