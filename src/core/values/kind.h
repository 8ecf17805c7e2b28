/* How a value of one kind crosses between GlusterFS and Python.
 *
 * A value has up to three shapes:
 *
 *   passed   as a fop's or a callback's C prototype passes it: a pointer into the caller's memory (loc_t *,
 *            struct iatt *), or the scalar itself. Valid for the length of that call only.
 *   held     as C owns it while no call lends it: loc_t, struct iatt, a referenced inode_t *. Needs no interpreter:
 *            callbacks fill it and winds read it with the interpreter released.
 *   object   the Python object: a wrapper, or an int, str, bytes.
 *
 * An argument reaches Python as a wrapper that borrows the caller's memory (wrap); when a request suspends, or Python
 * keeps the wrapper longer than the request, the wrapper is made the owner of its own copy (own). What Python gives to a
 * wind or a reply is checked and normalised at once (convert), so that the later steps cannot fail for a wrong type.
 *
 * Rules for every function: the ones marked GIL are called with the interpreter attached and may raise; the others are
 * called without it and must not touch a PyObject. With the interpreter attached only leaf calls into libglusterfs are
 * allowed, those that take no lock but the object's own and call nobody back (inode_ref, fd_ref, dict_ref, loc_copy,
 * iobref_ref, dict_get and dict_set …; in log.c also the log). References are never dropped there: see glupy_drop_* in
 * drops.h. */
#ifndef GLUPY_KIND_H
#define GLUPY_KIND_H

#include "base/gluster.h"
#include "python/state.h"

struct glupy_instance;

/* What C has of a value. */
enum glupy_form {
    GLUPY_OTHER,  /* a pointer to what is counted, a string, several of these: whatever is not below */
    GLUPY_NUMBER, /* passed and held as it is */
    GLUPY_RECORD, /* a structure, held by value; while what it leads to is there, a copy of its bytes will do */
    GLUPY_LIST,   /* the head of one, whose links lead to it */
};

struct glupy_kind {
    const char *name;    /* for messages: "Loc", "int32" */
    size_t passed_size;
    size_t held_size;
    enum glupy_form form;
    size_t owner; /* where the object keeps the instance that it belongs to (glupy_set_owner); 0: nowhere */

    /* GIL. A new reference to an object for *passed, borrowing what it points to, that belongs to that instance. A NULL pointer
     * gives None, except for dict, which gives an empty Xdata that becomes a dict_t when first written to. */
    PyObject *(*wrap)(struct glupy_state *, struct glupy_instance *owner, const void *passed);

    /* GIL. Make a wrapper that wrap() gave independent of the caller's memory. Idempotent. 0, or -1 with MemoryError.
     * NULL where objects never borrow. */
    int (*own)(PyObject *object);

    /* GIL. Check and normalise what an author gave: a new reference to an object that pass() and take() accept, or NULL
     * with TypeError, ValueError, OverflowError or BufferError ("expected Loc, not int": no fop or argument name, the
     * caller adds them). */
    PyObject *(*convert)(struct glupy_state *, PyObject *value);

    /* GIL. May a wind go out with this normalised object? GlusterFS's translators follow an argument's pointers without
     * looking, so None or a Loc without an inode would kill the process. 0, or -1 with TypeError or ValueError. NULL:
     * anything may. Not asked for arguments that may be NULL (fops.table). */
    int (*fit)(PyObject *object);

    /* GIL. Fill *passed from a normalised object; pointers stay valid while the object lives and is not changed. */
    void (*pass)(PyObject *object, void *passed);

    /* Copy or reference what *passed points to into *held, whose bytes are undefined before. 0 or -1 (no memory).
     * A NULL pointer gives the empty held value. */
    int (*hold)(void *held, const void *passed);

    /* Fill *passed from *held, which keeps ownership. */
    void (*lend)(void *held, void *passed);

    /* Release what *held owns. May call libglusterfs's unref functions, hence never with the interpreter attached. */
    void (*drop)(void *held);

    /* Move *from to *to; *from is not used again. NULL: its bytes can simply be copied. */
    void (*move)(void *to, void *from);

    /* GIL. Give up what *held owns by drops.h, for a reply that dies without having been looked into. */
    void (*discard)(void *held);

    /* GIL. A new reference to an object that takes over what *held owns; *held is left empty (drop() of it is a no-op).
     * NULL with MemoryError leaves *held as it was. */
    PyObject *(*adopt)(struct glupy_state *, void *held);

    /* GIL. Fill *held, undefined before, with references or copies of what a normalised object has; the object keeps
     * its own. 0, or -1 with MemoryError, or ReferenceError where what it stood for is gone. */
    int (*take)(PyObject *object, void *held);
};

/* What readv answers and writev is given: memory in pieces, kept alive by iobref. */
struct glupy_payload {
    struct iovec *vector;
    int32_t count;
    struct iobref *iobref;
};

struct glupy_checksum {
    uint8_t bytes[GLUPY_CHECKSUM_LEN];
    bool set;
};

/* fit() of the kinds whose pointer must be there: TypeError for None. */
int glupy_fit_not_none(PyObject *object);

extern const struct glupy_kind glupy_kind_int32;
extern const struct glupy_kind glupy_kind_uint32;
extern const struct glupy_kind glupy_kind_int64;
extern const struct glupy_kind glupy_kind_uint64;
extern const struct glupy_kind glupy_kind_string;
extern const struct glupy_kind glupy_kind_checksum;
extern const struct glupy_kind glupy_kind_opaque;
extern const struct glupy_kind glupy_kind_payload;
extern const struct glupy_kind glupy_kind_loc;
extern const struct glupy_kind glupy_kind_inode;
extern const struct glupy_kind glupy_kind_fd;
extern const struct glupy_kind glupy_kind_dict;
extern const struct glupy_kind glupy_kind_iatt;
extern const struct glupy_kind glupy_kind_statvfs;
extern const struct glupy_kind glupy_kind_flock;
extern const struct glupy_kind glupy_kind_lease;
extern const struct glupy_kind glupy_kind_dirents;
extern const struct glupy_kind glupy_kind_locklist;

#endif
