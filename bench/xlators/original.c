/* original: how the first glupy (2012) went from GlusterFS to Python and back, for comparison with the classic API here,
 * which runs the same scripts. A fop or callback that a script has registered is a closure that ctypes made; it is called
 * inside PyGILState_Ensure() and PyGILState_Release(), so a thread of GlusterFS's gets a thread state each time. The script
 * winds and unwinds by calling the functions at the end through ctypes. Two fops, which the bench registers
 * (original.py). */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "../../src/core/base/gluster.h"

#define EXPORT __attribute__((visibility("default")))

static fop_lookup_t lookup_fop;
static fop_lookup_cbk_t lookup_cbk;
static fop_stat_t stat_fop;
static fop_stat_cbk_t stat_cbk;

static int32_t
original_lookup_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret, int32_t op_errno, inode_t *inode,
                    struct iatt *buf, dict_t *xdata, struct iatt *postparent)
{
    PyGILState_STATE state = PyGILState_Ensure();
    int32_t ret = lookup_cbk(frame, cookie, this, op_ret, op_errno, inode, buf, xdata, postparent);

    PyGILState_Release(state);
    return ret;
}

static int32_t
original_stat_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret, int32_t op_errno, struct iatt *buf,
                  dict_t *xdata)
{
    PyGILState_STATE state = PyGILState_Ensure();
    int32_t ret = stat_cbk(frame, cookie, this, op_ret, op_errno, buf, xdata);

    PyGILState_Release(state);
    return ret;
}

static int32_t
original_lookup(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata)
{
    PyGILState_STATE state = PyGILState_Ensure();
    int32_t ret = lookup_fop(frame, this, loc, xdata);

    PyGILState_Release(state);
    return ret;
}

static int32_t
original_stat(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata)
{
    PyGILState_STATE state = PyGILState_Ensure();
    int32_t ret = stat_fop(frame, this, loc, xdata);

    PyGILState_Release(state);
    return ret;
}

static int32_t
original_init(xlator_t *this)
{
    if (lookup_fop && lookup_cbk && stat_fop && stat_cbk)
        return 0;
    gf_msg(this->name, GF_LOG_ERROR, EINVAL, 0, "no script has registered its functions (bench/original.py)");
    return -1;
}

static struct xlator_fops fops = {.lookup = original_lookup, .stat = original_stat};
static struct xlator_cbks cbks;

EXPORT xlator_api_t xlator_api = {
    .identifier = "original",
    .category = GF_EXPERIMENTAL,
    .op_version = {1},
    .init = original_init,
    .fops = &fops,
    .cbks = &cbks,
};

/* What a script calls. */

EXPORT void
original_set_lookup(fop_lookup_t fop, fop_lookup_cbk_t cbk)
{
    lookup_fop = fop;
    lookup_cbk = cbk;
}

EXPORT void
original_set_stat(fop_stat_t fop, fop_stat_cbk_t cbk)
{
    stat_fop = fop;
    stat_cbk = cbk;
}

EXPORT void
original_wind_lookup(call_frame_t *frame, xlator_t *child, loc_t *loc, dict_t *xdata)
{
    if (!child)
        child = FIRST_CHILD(THIS);
    STACK_WIND(frame, original_lookup_cbk, child, child->fops->lookup, loc, xdata);
}

EXPORT void
original_wind_stat(call_frame_t *frame, xlator_t *child, loc_t *loc, dict_t *xdata)
{
    if (!child)
        child = FIRST_CHILD(THIS);
    STACK_WIND(frame, original_stat_cbk, child, child->fops->stat, loc, xdata);
}

EXPORT void
original_unwind_lookup(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret, int32_t op_errno,
                       inode_t *inode, struct iatt *buf, dict_t *xdata, struct iatt *postparent)
{
    (void)cookie;
    (void)this;
    STACK_UNWIND_STRICT(lookup, frame, op_ret, op_errno, inode, buf, xdata, postparent);
}

EXPORT void
original_unwind_stat(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret, int32_t op_errno,
                     struct iatt *buf, dict_t *xdata)
{
    (void)cookie;
    (void)this;
    STACK_UNWIND_STRICT(stat, frame, op_ret, op_errno, buf, xdata);
}
