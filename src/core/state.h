/* What one interpreter knows of us: the module state of glupy._core. No PyObject is kept in a C static; whoever needs a
 * type or an object of ours reaches it here. */
#ifndef GLUPY_STATE_H
#define GLUPY_STATE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <glusterfs/list.h>

#include "spares.h"

struct glupy_state {
    PyObject *module; /* borrowed: the module owns this state */
    unsigned interpreter; /* interpreter.h: which one it is the state of */

    /* src/core/types/ : one type a file */
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
    PyTypeObject *lock_type; /* one entry of a LockList */
    PyTypeObject *locklist_type;
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
    PyTypeObject *child_type;
    PyTypeObject *instance_type;
    PyTypeObject *spawned_type; /* Task */
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
    struct list_head holders; /* objects that own references into inode tables: holders.h */
    PyObject *runtime; /* the module glupy._runtime: what C asks of Python (load, format a traceback) */
    PyObject *str_xdata, *str_reply, *str_errno, *str_cr_await, *str_cr_frame;
};

/* The state of the module that defined `type` (types of ours cannot be subclassed, so any object's type will do). */
static inline struct glupy_state *
glupy_state_of_type(PyTypeObject *type)
{
    return PyType_GetModuleState(type);
}

static inline struct glupy_state *
glupy_state_of(PyObject *self)
{
    return glupy_state_of_type(Py_TYPE(self));
}

/* Create a heap type from a spec, add it to the module under its name, store a reference in *slot. 0, or -1 with an
 * exception. Every type file's setup function ends in this call. */
int glupy_add_type(struct glupy_state *state, PyType_Spec *spec, PyTypeObject **slot);

/* The setup functions of the type files: create their types. 0, or -1 with an exception. */
int glupy_gfid_setup(struct glupy_state *);
int glupy_iatt_setup(struct glupy_state *);
int glupy_mdata_setup(struct glupy_state *);
int glupy_inode_setup(struct glupy_state *);
int glupy_fd_setup(struct glupy_state *);
int glupy_loc_setup(struct glupy_state *);
int glupy_xdata_setup(struct glupy_state *);
int glupy_buffer_setup(struct glupy_state *);
int glupy_statvfs_setup(struct glupy_state *);
int glupy_lk_owner_setup(struct glupy_state *);
int glupy_flock_setup(struct glupy_state *);
int glupy_lease_setup(struct glupy_state *);
int glupy_dirents_setup(struct glupy_state *);
int glupy_locklist_setup(struct glupy_state *);
int glupy_frame_setup(struct glupy_state *);
int glupy_awaitable_setup(struct glupy_state *);
int glupy_reply_setup(struct glupy_state *);
int glupy_wind_setup(struct glupy_state *);
int glupy_call_setup(struct glupy_state *);
int glupy_gather_setup(struct glupy_state *);
int glupy_future_setup(struct glupy_state *);
int glupy_child_setup(struct glupy_state *);
int glupy_instance_setup(struct glupy_state *);
int glupy_spawned_setup(struct glupy_state *);
int glupy_classic_call_setup(struct glupy_state *);

#endif
