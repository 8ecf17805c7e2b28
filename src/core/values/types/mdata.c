/* Mdata: struct mdata_iatt, the three times of a file that features/ctime keeps alike on all bricks. It comes as a
 * value in xdata only, hence no kind. */
#include "values/types/structs.h"

static const struct glupy_record mdata_record = {.name = "Mdata", .size = sizeof(struct mdata_iatt)};

_Static_assert(offsetof(struct glupy_mdata, mdata) == GLUPY_RECORD_POINTER, "a record starts with its pointer");
_Static_assert(offsetof(struct glupy_mdata, own) == GLUPY_RECORD_OWN, "a record's own copy follows its pointer");

PyObject *
glupy_mdata_new(struct glupy_state *state, const struct mdata_iatt *mdata)
{
    return glupy_record_copy(state->mdata_type, mdata);
}

static PyMethodDef mdata_methods[] = {
    GLUPY_RECORD_METHODS,
    {0},
};

#define UNSIGNED(MEMBER, DOC) GLUPY_RECORD_UNSIGNED(&mdata_record, struct mdata_iatt, MEMBER, DOC)
#define SIGNED(MEMBER, DOC) GLUPY_RECORD_SIGNED(&mdata_record, struct mdata_iatt, MEMBER, DOC)

static PyGetSetDef mdata_getset[] = {
    SIGNED(ia_atime, "Time of the last access, in seconds since the epoch."),
    SIGNED(ia_mtime, "Time of the last change of content, in seconds."),
    SIGNED(ia_ctime, "Time of the last change of attributes, in seconds."),
    UNSIGNED(ia_atime_nsec, "Nanoseconds of ia_atime."),
    UNSIGNED(ia_mtime_nsec, "Nanoseconds of ia_mtime."),
    UNSIGNED(ia_ctime_nsec, "Nanoseconds of ia_ctime."),
    {0},
};

static PyType_Slot mdata_slots[] = {
    {Py_tp_doc, "Mdata(**fields)\n--\n\n"
                "The times that features/ctime keeps: struct mdata_iatt (iatt.h), a value in xdata.\n\n"
                "Fields that are not given are 0. Setting one raises TypeError or OverflowError."},
    GLUPY_RECORD_SLOTS,
    {Py_tp_repr, glupy_record_repr},
    {Py_tp_methods, mdata_methods},
    {Py_tp_getset, mdata_getset},
    {0, NULL},
};

static PyType_Spec mdata_spec = {
    .name = "glupy._core.Mdata",
    .basicsize = sizeof(struct glupy_mdata),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = mdata_slots,
};

int
glupy_mdata_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &mdata_spec, &state->mdata_type);
}
