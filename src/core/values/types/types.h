/* The C structures behind the Python types that wrap GlusterFS's own: one per file in this directory, declared together
 * because they hold one another. */
#ifndef GLUPY_TYPES_H
#define GLUPY_TYPES_H

#include "values/drops.h"
#include "values/fop.h"
#include "values/holders.h"
#include "values/kind.h"

struct glupy_gfid { /* Gfid: immutable, hashable */
    PyObject_HEAD
    uuid_t gfid;
};

/* The pointers below lead into the caller's memory while the object borrows, to `own` once it owns. */
struct glupy_iatt {
    PyObject_HEAD
    struct iatt *iatt;
    struct iatt own;
};

struct glupy_mdata {
    PyObject_HEAD
    struct mdata_iatt *mdata;
    struct mdata_iatt own;
};

struct glupy_loc { /* immutable */
    PyObject_HEAD
    struct glupy_holder holder;
    struct glupy_instance *owner; /* of its inodes; NULL where there are none */
    loc_t *loc;
    loc_t own;
    bool gone; /* it had inodes, and their graph is gone */
};

struct glupy_statvfs {
    PyObject_HEAD
    struct statvfs *buf;
    struct statvfs own;
};

struct glupy_flock {
    PyObject_HEAD
    struct gf_flock *flock;
    struct gf_flock own;
};

struct glupy_lease {
    PyObject_HEAD
    struct gf_lease *lease;
    struct gf_lease own;
};

struct glupy_lk_owner { /* LkOwner: immutable, hashable */
    PyObject_HEAD
    gf_lkowner_t owner;
};

/* Inode and Fd (references.h): `owned` says whether the object holds a reference of its own. NULL once the graph is
 * gone, and for what a hook is told of after its end, which is in `gone`. */
struct glupy_reference {
    PyObject_HEAD
    struct glupy_holder holder;
    struct glupy_instance *owner; /* whose ctx it shows: a reference */
    struct glupy_gone *gone;
    const struct glupy_reference_type *type;
    union {
        void *target;
        inode_t *inode;
        fd_t *fd;
    };
    bool owned;
};

/* A dict_t as a typed mapping. `exclusive`: nobody else can see this dict_t, so it may be changed in place; otherwise
 * the first change copies it, because GlusterFS shares request dicts between siblings.
 *
 * Many keys that are asked for one by one are looked up in an index (xdata_index.h). What others can see they may change,
 * but hardly while Python is in one step: after it the index has to be made anew, if there is as much to look up again. */
struct glupy_xdata {
    PyObject_HEAD
    dict_t *dict; /* NULL: empty */
    bool owned;
    bool exclusive;
    PyObject *index;                    /* of `dict`, or NULL */
    unsigned lookups;                   /* without it, in this step */
    const struct glupy_thread *thread;  /* on which that step is */
    uint64_t step;
};

struct glupy_buffer { /* bytes in pieces; see buffer.c */
    PyObject_HEAD
    struct glupy_payload payload;
    bool owned;
    bool writable;      /* not handed on yet */
    Py_ssize_t writers; /* views that were taken while it was */
    struct iovec single;  /* the vector of a one-piece buffer that owns */
    struct iobref *joined; /* several pieces made one, for the buffer protocol; NULL until asked for */
    struct iovec whole;
};

/* Inodes and fds show the context (context.h) of one instance, their owner: the one to which an argument or a reply came,
 * and for what is reached from another object, that object's. So it does not matter on which thread. */
static inline void
glupy_set_owner(const struct glupy_kind *kind, PyObject *object, struct glupy_instance *owner)
{
    struct glupy_instance **slot = (struct glupy_instance **)((char *)object + kind->owner);

    if (kind->owner && object != Py_None && !*slot)
        *slot = (struct glupy_instance *)Py_XNewRef((PyObject *)owner);
}

/* Creating objects from C. All return a new reference, or NULL with MemoryError; a NULL or all-zero source gives None
 * where that is GlusterFS's way to say "none" (inode, fd, loc). */
PyObject *glupy_gfid_new(struct glupy_state *, const uuid_t gfid);
PyObject *glupy_inode_new(struct glupy_state *, struct glupy_instance *owner, inode_t *inode); /* takes a reference of
                                                                                                  its own */
PyObject *glupy_xdata_new(struct glupy_state *, dict_t *dict);        /* likewise */
PyObject *glupy_iatt_new(struct glupy_state *, const struct iatt *);  /* copies */
PyObject *glupy_mdata_new(struct glupy_state *, const struct mdata_iatt *); /* copies */
PyObject *glupy_lk_owner_new(struct glupy_state *, const gf_lkowner_t *); /* copies */
PyObject *glupy_loc_new(struct glupy_state *, struct glupy_instance *owner, loc_t *); /* takes over the content, clears
                                                                                         *loc */

/* The inode table that an argument of a fop belongs to, when it is a Loc or Fd; else NULL. */
inode_table_t *glupy_table_of(const struct glupy_kind *kind, PyObject *object);

/* The inode of the first Loc among a fop's arguments, or NULL. */
inode_t *glupy_first_inode(const struct glupy_fop *fop, PyObject *const *args);

/* What an Inode or Fd stands for, or NULL with ReferenceError once its graph is gone. */
inode_t *glupy_inode_alive(PyObject *inode);
fd_t *glupy_fd_alive(PyObject *fd);

/* False with ReferenceError once the graph of a Loc's inodes is gone. */
bool glupy_loc_alive(PyObject *loc);

/* A gfid from a Gfid, uuid.UUID, 16 bytes or text: 0, or -1 with TypeError or ValueError. */
int glupy_gfid_from(struct glupy_state *, PyObject *value, uuid_t gfid);
/* A lock owner from a LkOwner, an int or bytes: 0, or -1 with an exception. */
int glupy_lk_owner_from(struct glupy_state *, PyObject *value, gf_lkowner_t *owner);

/* Text from GlusterFS (paths, names, keys) is UTF-8 where it decodes and keeps other bytes by surrogateescape, as os.fsdecode. */
static inline PyObject *
glupy_text(const char *text)
{
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "surrogateescape");
}

/* The bytes of a str (surrogateescape undone) or of a bytes object, without NUL inside: a new reference to a bytes
 * object, or NULL with TypeError or ValueError. */
PyObject *glupy_text_bytes(PyObject *value);

/* repr() of an author's value for a message, cut when it is long, or its type where there is no repr(). A new reference
 * to a str, or NULL without memory. Leaves no exception behind. */
PyObject *glupy_shown(PyObject *value);

/* Applications know no others, and the kernel does not take them: a FUSE request answered with ERESTARTSYS or more is
 * not answered at all. */
#define GLUPY_LARGEST_ERRNO 511

/* A Failure, and what is to be answered by it: the errno, and a dict_t of its own or NULL. */
bool glupy_is_failure(struct glupy_state *, PyObject *object);
void glupy_failure_take(PyObject *failure, int32_t *op_errno, dict_t **xdata);

/* glupy.fail(): METH_FASTCALL | METH_KEYWORDS. */
PyObject *glupy_fail_method(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);

/* The plain dict_t that an Xdata, or None, stands for (NULL where it is empty): borrowed. */
dict_t *glupy_xdata_dict(PyObject *xdata);

/* An Xdata with what is in a mapping, or NULL with an exception, TypeError if it is none. Attached. */
PyObject *glupy_xdata_of_mapping(struct glupy_state *, PyObject *value);

/* The exception that says why a wind cannot go out with a Loc, or None in its place: -1. Attached. */
int glupy_loc_unfit(PyObject *loc);

/* The setup functions of the type files: create their types. 0, or -1 with an exception. */
int glupy_gfid_setup(struct glupy_state *);
int glupy_iatt_setup(struct glupy_state *);
int glupy_mdata_setup(struct glupy_state *);
int glupy_inode_setup(struct glupy_state *);
int glupy_failure_setup(struct glupy_state *);
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

#endif
