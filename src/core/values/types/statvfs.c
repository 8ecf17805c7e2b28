/* Statvfs: struct statvfs, what statfs answers. */
#include "values/types/structs.h"

static const struct glupy_record statvfs_record = {.name = "Statvfs", .size = sizeof(struct statvfs)};

#define FIELD(MEMBER, DOC) GLUPY_RECORD_UNSIGNED(&statvfs_record, struct statvfs, MEMBER, DOC)

GLUPY_RECORD_KIND(statvfs, struct statvfs, buf, &statvfs_record, "Statvfs");

static PyObject *
statvfs_from_statvfs(PyObject *type, PyObject *result)
{
    return glupy_record_from_attributes((PyTypeObject *)type, result);
}

static PyMethodDef statvfs_methods[] = {
    {"from_statvfs", statvfs_from_statvfs, METH_CLASS | METH_O,
     "from_statvfs($type, result, /)\n--\n\nThe Statvfs with the values of an os.statvfs_result."},
    GLUPY_RECORD_METHODS,
    {0},
};

static PyGetSetDef statvfs_getset[] = {
    FIELD(f_bsize, "Block size of the file system, in bytes."),
    FIELD(f_frsize, "Fragment size in bytes: the unit of f_blocks, f_bfree and f_bavail."),
    FIELD(f_blocks, "Size of the file system, in fragments."),
    FIELD(f_bfree, "Free fragments."),
    FIELD(f_bavail, "Free fragments for unprivileged users."),
    FIELD(f_files, "Number of inodes."),
    FIELD(f_ffree, "Free inodes."),
    FIELD(f_favail, "Free inodes for unprivileged users."),
    FIELD(f_fsid, "Identity of the file system."),
    FIELD(f_flag, "Mount flags: os.ST_RDONLY, os.ST_NOSUID and others."),
    FIELD(f_namemax, "Longest file name, in bytes."),
    {0},
};

static PyType_Slot statvfs_slots[] = {
    {Py_tp_doc, "Statvfs(**fields)\n--\n\nFile system statistics: struct statvfs, as statfs answers it.\n\n"
                "Fields that are not given are 0. Setting one raises TypeError or OverflowError."},
    GLUPY_RECORD_SLOTS,
    {Py_tp_repr, glupy_record_repr},
    {Py_tp_methods, statvfs_methods},
    {Py_tp_getset, statvfs_getset},
    {0, NULL},
};

static PyType_Spec statvfs_spec = {
    .name = "glupy._core.Statvfs",
    .basicsize = sizeof(struct glupy_statvfs),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = statvfs_slots,
};

int
glupy_statvfs_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &statvfs_spec, &state->statvfs_type);
}
