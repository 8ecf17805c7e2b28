/* Iatt: struct iatt, the attributes of a file. */
#include "values/types/structs.h"

static const struct glupy_record iatt_record = {.name = "Iatt", .size = sizeof(struct iatt)};

GLUPY_RECORD_KIND(iatt, struct iatt, iatt, &iatt_record, "Iatt");

PyObject *
glupy_iatt_new(struct glupy_state *state, const struct iatt *iatt)
{
    if (!iatt)
        Py_RETURN_NONE;
    return glupy_record_copy(state->iatt_type, iatt);
}

/* Members that are no plain integers. */

static PyObject *
iatt_get_gfid(PyObject *self, void *field)
{
    return glupy_gfid_new(glupy_state_of(self), glupy_record_member(self, field));
}

static int
iatt_set_gfid(const struct glupy_record_field *field, struct glupy_state *state, PyObject *value, void *member)
{
    return glupy_gfid_from(state, value, member);
}

static int
iatt_set_type(const struct glupy_record_field *field, struct glupy_state *state, PyObject *value, void *member)
{
    unsigned long long type;
    if (glupy_record_unsigned(value, IA_IFSOCK, &type))
        return -1;
    *(ia_type_t *)member = (ia_type_t)type;
    return 0;
}

static PyObject *
iatt_get_prot(PyObject *self, void *field)
{
    const ia_prot_t *prot = glupy_record_member(self, field);
    return PyLong_FromUnsignedLong(st_mode_prot_from_ia(*prot));
}

static int
iatt_set_prot(const struct glupy_record_field *field, struct glupy_state *state, PyObject *value, void *member)
{
    unsigned long long mode;
    if (glupy_record_unsigned(value, 07777, &mode))
        return -1;
    *(ia_prot_t *)member = ia_prot_from_st_mode((mode_t)mode);
    return 0;
}

static mode_t
iatt_st_mode(PyObject *self)
{
    const struct iatt *iatt = glupy_record_data(self);
    return st_mode_from_ia(iatt->ia_prot, iatt->ia_type);
}

static PyObject *
iatt_get_mode(PyObject *self, void *closure)
{
    return PyLong_FromUnsignedLong(iatt_st_mode(self));
}

static int
iatt_set_mode(PyObject *self, PyObject *value, void *closure)
{
    unsigned long long mode;
    if (!value) {
        PyErr_SetString(PyExc_AttributeError, "mode cannot be deleted");
        return -1;
    }
    if (glupy_record_unsigned(value, 0177777, &mode))
        return -1;
    glupy_record_own(self);
    struct iatt *iatt = glupy_record_data(self);
    iatt->ia_prot = ia_prot_from_st_mode((mode_t)mode);
    if (mode & S_IFMT)
        iatt->ia_type = ia_type_from_st_mode((mode_t)mode);
    return 0;
}

/* To and from os.stat_result. */

/* A number of a stat_result, 0 where it has None (one that Python code made). */
static int
iatt_stat_number(PyObject *result, const char *name, long long *number)
{
    PyObject *value = PyObject_GetAttrString(result, name);
    if (!value)
        return -1;
    if (Py_IsNone(value))
        *number = 0;
    else
        *number = (long long)PyLong_AsUnsignedLongLongMask(value); /* an inode number may use all 64 bits */
    Py_DECREF(value);
    return *number == -1 && PyErr_Occurred() ? -1 : 0;
}

/* By Python's own arithmetic: file systems know times whose nanoseconds do not fit 64 bits. */
static int
iatt_stat_time(PyObject *result, const char *name, struct timespec *time)
{
    PyObject *nanoseconds = PyObject_GetAttrString(result, name);
    PyObject *second = nanoseconds ? PyLong_FromLong(1000000000) : NULL;
    PyObject *parts = second ? PyNumber_Divmod(nanoseconds, second) : NULL;
    long long seconds;
    long rest;
    Py_XDECREF(second);
    Py_XDECREF(nanoseconds);
    if (!parts)
        return -1;
    bool read = PyArg_ParseTuple(parts, "Ll", &seconds, &rest);
    Py_DECREF(parts);
    if (!read)
        return -1;
    time->tv_sec = seconds;
    time->tv_nsec = rest;
    return 0;
}

/* An attribute of os.stat_result and the member of struct stat with its name. */
#define STAT_NUMBER(MEMBER)                                                                                          \
    do {                                                                                                             \
        long long number;                                                                                            \
        if (iatt_stat_number(result, #MEMBER, &number))                                                              \
            return -1;                                                                                               \
        stat->MEMBER = (__typeof__(stat->MEMBER))number;                                                             \
    } while (0)

static int
iatt_read_stat(PyObject *result, struct stat *stat)
{
    STAT_NUMBER(st_mode);
    STAT_NUMBER(st_ino);
    STAT_NUMBER(st_dev);
    STAT_NUMBER(st_nlink);
    STAT_NUMBER(st_uid);
    STAT_NUMBER(st_gid);
    STAT_NUMBER(st_rdev);
    STAT_NUMBER(st_size);
    STAT_NUMBER(st_blksize);
    STAT_NUMBER(st_blocks);
    if (iatt_stat_time(result, "st_atime_ns", &stat->st_atim) || iatt_stat_time(result, "st_mtime_ns", &stat->st_mtim))
        return -1;
    return iatt_stat_time(result, "st_ctime_ns", &stat->st_ctim);
}

static PyObject *
iatt_from_stat_result(PyObject *type, PyObject *result)
{
    struct stat stat = {0};
    struct iatt iatt = {0};
    if (iatt_read_stat(result, &stat))
        return NULL;
    iatt_from_stat(&iatt, &stat);
    return glupy_record_copy((PyTypeObject *)type, &iatt);
}

/* Whole nanoseconds since the epoch, as an int of any size. */
static PyObject *
iatt_nanoseconds(const struct timespec *time)
{
    PyObject *seconds = PyLong_FromLongLong(time->tv_sec), *factor = PyLong_FromLong(1000000000);
    PyObject *product = seconds && factor ? PyNumber_Multiply(seconds, factor) : NULL;
    PyObject *rest = product ? PyLong_FromLongLong(time->tv_nsec) : NULL;
    PyObject *sum = rest ? PyNumber_Add(product, rest) : NULL;
    Py_XDECREF(seconds);
    Py_XDECREF(factor);
    Py_XDECREF(product);
    Py_XDECREF(rest);
    return sum;
}

static double
iatt_seconds(const struct timespec *time)
{
    return (double)time->tv_sec + 1e-9 * (double)time->tv_nsec;
}

/* What os.stat_result has beyond its ten items, by name. */
static PyObject *
iatt_stat_named(const struct stat *st)
{
    return Py_BuildValue("{s:d,s:d,s:d,s:N,s:N,s:N,s:L,s:L,s:K}",
                         "st_atime", iatt_seconds(&st->st_atim),
                         "st_mtime", iatt_seconds(&st->st_mtim),
                         "st_ctime", iatt_seconds(&st->st_ctim),
                         "st_atime_ns", iatt_nanoseconds(&st->st_atim),
                         "st_mtime_ns", iatt_nanoseconds(&st->st_mtim),
                         "st_ctime_ns", iatt_nanoseconds(&st->st_ctim),
                         "st_blksize", (long long)st->st_blksize,
                         "st_blocks", (long long)st->st_blocks,
                         "st_rdev", (unsigned long long)st->st_rdev);
}

static PyObject *
iatt_stat_arguments(const struct stat *st)
{
    PyObject *named = iatt_stat_named(st);
    if (!named)
        return NULL;
    return Py_BuildValue("((IKKKIILLLL)N)", st->st_mode, (unsigned long long)st->st_ino, (unsigned long long)st->st_dev,
                         (unsigned long long)st->st_nlink, st->st_uid, st->st_gid, (long long)st->st_size,
                         (long long)st->st_atime, (long long)st->st_mtime, (long long)st->st_ctime, named);
}

static PyObject *
iatt_to_stat_result(PyObject *self, PyObject *unused)
{
    struct stat stat = {0};
    iatt_to_stat(glupy_record_data(self), &stat);
    PyObject *arguments = iatt_stat_arguments(&stat);
    PyObject *os = arguments ? PyImport_ImportModule("os") : NULL;
    PyObject *type = os ? PyObject_GetAttrString(os, "stat_result") : NULL;
    PyObject *result = type ? PyObject_CallObject(type, arguments) : NULL;
    Py_XDECREF(type);
    Py_XDECREF(os);
    Py_XDECREF(arguments);
    return result;
}

static bool
iatt_is(PyObject *self, ia_type_t type)
{
    return ((const struct iatt *)glupy_record_data(self))->ia_type == type;
}

static PyObject *
iatt_is_dir(PyObject *self, PyObject *unused)
{
    return PyBool_FromLong(iatt_is(self, IA_IFDIR));
}

static PyObject *
iatt_is_file(PyObject *self, PyObject *unused)
{
    return PyBool_FromLong(iatt_is(self, IA_IFREG));
}

static PyObject *
iatt_is_link(PyObject *self, PyObject *unused)
{
    return PyBool_FromLong(iatt_is(self, IA_IFLNK));
}

static PyObject *
iatt_repr(PyObject *self)
{
    static const char *const types[] = {
        [IA_INVAL] = "invalid",      [IA_IFREG] = "file",        [IA_IFDIR] = "directory", [IA_IFLNK] = "symlink",
        [IA_IFBLK] = "block device", [IA_IFCHR] = "char device", [IA_IFIFO] = "fifo",      [IA_IFSOCK] = "socket",
    };
    const struct iatt *iatt = glupy_record_data(self);
    char gfid[UUID_STR_LEN], mode[16];
    uuid_unparse_lower(iatt->ia_gfid, gfid);
    snprintf(mode, sizeof(mode), "0o%o", iatt_st_mode(self));
    const char *type = iatt->ia_type <= IA_IFSOCK ? types[iatt->ia_type] : "unknown type";
    return PyUnicode_FromFormat("<Iatt %s gfid=%s size=%llu mode=%s>", type, gfid, (unsigned long long)iatt->ia_size,
                                mode);
}

static PyMethodDef iatt_methods[] = {
    {"is_dir", iatt_is_dir, METH_NOARGS, "is_dir($self, /)\n--\n\nIs it a directory?"},
    {"is_file", iatt_is_file, METH_NOARGS, "is_file($self, /)\n--\n\nIs it a regular file?"},
    {"is_link", iatt_is_link, METH_NOARGS, "is_link($self, /)\n--\n\nIs it a symbolic link?"},
    {"from_stat", iatt_from_stat_result, METH_CLASS | METH_O,
     "from_stat($type, result, /)\n--\n\nThe Iatt of an os.stat_result, as storage/posix fills it: ia_flags says what\n"
     "is there, ia_blocks does not count preallocation beyond ia_size. ia_gfid is null."},
    {"to_stat", iatt_to_stat_result, METH_NOARGS,
     "to_stat($self, /)\n--\n\nThe same as an os.stat_result, nanoseconds included."},
    GLUPY_RECORD_METHODS,
    {0},
};

#define UNSIGNED(MEMBER, DOC) GLUPY_RECORD_UNSIGNED(&iatt_record, struct iatt, MEMBER, DOC)
#define SIGNED(MEMBER, DOC) GLUPY_RECORD_SIGNED(&iatt_record, struct iatt, MEMBER, DOC)
#define FIELD(MEMBER, GET, SET, DOC) GLUPY_RECORD_FIELD(&iatt_record, struct iatt, MEMBER, GET, SET, DOC)

static PyGetSetDef iatt_getset[] = {
    UNSIGNED(ia_flags, "Which fields are valid: IATT_TYPE, IATT_MODE and so on of iatt.h."),
    UNSIGNED(ia_ino, "Inode number; GlusterFS derives it from the gfid."),
    UNSIGNED(ia_dev, "Device that holds the file."),
    UNSIGNED(ia_rdev, "Device that a device file stands for: major << 32 | minor."),
    UNSIGNED(ia_size, "Size in bytes."),
    UNSIGNED(ia_nlink, "Number of links."),
    UNSIGNED(ia_uid, "User id of the owner."),
    UNSIGNED(ia_gid, "Group id of the owner."),
    UNSIGNED(ia_blksize, "Preferred size of I/O in bytes."),
    UNSIGNED(ia_blocks, "Allocated blocks of 512 bytes."),
    SIGNED(ia_atime, "Time of the last access, in seconds since the epoch."),
    SIGNED(ia_mtime, "Time of the last change of content, in seconds."),
    SIGNED(ia_ctime, "Time of the last change of attributes, in seconds."),
    SIGNED(ia_btime, "Time of creation, in seconds."),
    UNSIGNED(ia_atime_nsec, "Nanoseconds of ia_atime."),
    UNSIGNED(ia_mtime_nsec, "Nanoseconds of ia_mtime."),
    UNSIGNED(ia_ctime_nsec, "Nanoseconds of ia_ctime."),
    UNSIGNED(ia_btime_nsec, "Nanoseconds of ia_btime."),
    UNSIGNED(ia_attributes, "Attributes as statx(2) has them: STATX_ATTR_*."),
    UNSIGNED(ia_attributes_mask, "Which of ia_attributes are supported."),
    FIELD(ia_gfid, iatt_get_gfid, iatt_set_gfid, "Gfid; text, bytes and uuid.UUID are accepted."),
    FIELD(ia_type, glupy_record_get_unsigned, iatt_set_type,
          "Type of file, from ia_type_t: 0 invalid, 1 file, 2 directory, 3 symlink, 4 block device,\n"
          "5 character device, 6 fifo, 7 socket."),
    FIELD(ia_prot, iatt_get_prot, iatt_set_prot, "Permission bits, 0 to 0o7777."),
    {"mode", iatt_get_mode, iatt_set_mode,
     "Type and permission bits as in st_mode. Setting one without type bits leaves ia_type as it is.", NULL},
    {0},
};

static PyType_Slot iatt_slots[] = {
    {Py_tp_doc, "Iatt(**fields)\n--\n\nThe attributes of a file: struct iatt (iatt.h).\n\n"
                "Fields that are not given are 0; `mode` is accepted in place of ia_type and ia_prot. Setting a field\n"
                "raises TypeError, ValueError or OverflowError."},
    GLUPY_RECORD_SLOTS,
    {Py_tp_repr, iatt_repr},
    {Py_tp_methods, iatt_methods},
    {Py_tp_getset, iatt_getset},
    {0, NULL},
};

static PyType_Spec iatt_spec = {
    .name = "glupy._core.Iatt",
    .basicsize = sizeof(struct glupy_iatt),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = iatt_slots,
};

int
glupy_iatt_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &iatt_spec, &state->iatt_type);
}
