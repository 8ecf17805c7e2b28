/* Lease: struct gf_lease, argument and reply of the lease fop. */
#include "values/types/structs.h"

static const struct glupy_record lease_record = {.name = "Lease", .size = sizeof(struct gf_lease)};

#define FIELD(MEMBER, DOC) GLUPY_RECORD_UNSIGNED(&lease_record, struct gf_lease, MEMBER, DOC)

GLUPY_RECORD_KIND(lease, struct gf_lease, lease, &lease_record, "Lease");

static PyObject *
lease_get_id(PyObject *self, void *closure)
{
    const struct glupy_record_field *field = closure;
    return PyBytes_FromStringAndSize(glupy_record_member(self, field), (Py_ssize_t)field->size);
}

static int
lease_set_id(const struct glupy_record_field *field, struct glupy_state *state, PyObject *value, void *member)
{
    if (!PyBytes_Check(value)) {
        PyErr_Format(PyExc_TypeError, "expected bytes, not %.100s", Py_TYPE(value)->tp_name);
        return -1;
    }
    if (PyBytes_GET_SIZE(value) != (Py_ssize_t)field->size) {
        PyErr_Format(PyExc_ValueError, "a lease id has %zu bytes, not %zd", field->size, PyBytes_GET_SIZE(value));
        return -1;
    }
    memcpy(member, PyBytes_AS_STRING(value), field->size);
    return 0;
}

static PyMethodDef lease_methods[] = {
    GLUPY_RECORD_METHODS,
    {0},
};

static PyGetSetDef lease_getset[] = {
    FIELD(cmd, "What to do, from gf_lease_cmds_t: 1 GF_GET_LEASE, 2 GF_SET_LEASE, 3 GF_UNLK_LEASE."),
    FIELD(lease_type, "From gf_lease_types_t: 0 NONE, 1 GF_RD_LEASE, 2 GF_RW_LEASE."),
    GLUPY_RECORD_FIELD(&lease_record, struct gf_lease, lease_id, lease_get_id, lease_set_id,
                       "Identity of the holder: 16 bytes."),
    FIELD(lease_flags, "Flags of the request."),
    {0},
};

static PyType_Slot lease_slots[] = {
    {Py_tp_doc, "Lease(**fields)\n--\n\nA lease: struct gf_lease (glusterfs-fops.h).\n\n"
                "Fields that are not given are 0. Setting one raises TypeError, ValueError or OverflowError."},
    GLUPY_RECORD_SLOTS,
    {Py_tp_repr, glupy_record_repr},
    {Py_tp_methods, lease_methods},
    {Py_tp_getset, lease_getset},
    {0, NULL},
};

static PyType_Spec lease_spec = {
    .name = "glupy._core.Lease",
    .basicsize = sizeof(struct glupy_lease),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = lease_slots,
};

int
glupy_lease_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &lease_spec, &state->lease_type);
}
