/* Flock: struct gf_flock, argument and reply of lk, argument of inodelk and finodelk. */
#include "values/types/structs.h"

/* A lock is more than 1 KiB, nearly all of it the unused part of the owner. */
void
glupy_flock_copy(void *to_flock, const void *from_flock)
{
    struct gf_flock *to = to_flock;
    const struct gf_flock *from = from_flock;
    to->l_type = from->l_type;
    to->l_whence = from->l_whence;
    to->l_start = from->l_start;
    to->l_len = from->l_len;
    to->l_pid = from->l_pid;
    glupy_lk_owner_copy(&to->l_owner, &from->l_owner);
}

static const struct glupy_record flock_record = {
    .name = "Flock", .size = sizeof(struct gf_flock), .copy = glupy_flock_copy};

#define FIELD(MEMBER, DOC) GLUPY_RECORD_SIGNED(&flock_record, struct gf_flock, MEMBER, DOC)

GLUPY_RECORD_KIND(flock, struct gf_flock, flock, &flock_record, "Flock");

static PyObject *
flock_get_owner(PyObject *self, void *field)
{
    return glupy_lk_owner_new(glupy_state_of(self), glupy_record_member(self, field));
}

static int
flock_set_owner(const struct glupy_record_field *field, struct glupy_state *state, PyObject *value, void *member)
{
    return glupy_lk_owner_from(state, value, member);
}

static PyMethodDef flock_methods[] = {
    GLUPY_RECORD_METHODS,
    {0},
};

static PyGetSetDef flock_getset[] = {
    FIELD(l_type, "Type of lock: fcntl.F_RDLCK, fcntl.F_WRLCK or fcntl.F_UNLCK."),
    FIELD(l_whence, "What l_start counts from: os.SEEK_SET, os.SEEK_CUR or os.SEEK_END."),
    FIELD(l_start, "First byte of the range."),
    FIELD(l_len, "Length of the range in bytes; 0: up to the end of the file, however far it grows."),
    FIELD(l_pid, "Process that asks for the lock or holds it."),
    GLUPY_RECORD_FIELD(&flock_record, struct gf_flock, l_owner, flock_get_owner, flock_set_owner,
                       "Owner of the lock: a LkOwner; bytes are accepted."),
    {0},
};

static PyType_Slot flock_slots[] = {
    {Py_tp_doc, "Flock(**fields)\n--\n\nA byte-range lock: struct gf_flock (glusterfs.h).\n\n"
                "Fields that are not given are 0, the owner empty. Setting one raises TypeError, ValueError or\n"
                "OverflowError."},
    GLUPY_RECORD_SLOTS,
    {Py_tp_repr, glupy_record_repr},
    {Py_tp_methods, flock_methods},
    {Py_tp_getset, flock_getset},
    {0, NULL},
};

static PyType_Spec flock_spec = {
    .name = "glupy._core.Flock",
    .basicsize = sizeof(struct glupy_flock),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = flock_slots,
};

int
glupy_flock_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &flock_spec, &state->flock_type);
}
