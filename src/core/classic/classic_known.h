/* What may be followed: memory of a script's, looked at before anything relies on it, and GlusterFS's own objects, known
 * by what only GlusterFS makes true of them.
 *
 * A pointer in a script may hold any number. So nothing here reads through one directly: the kernel copies what it points
 * to, and says so when there is nothing. Scripts that pass on what they were given never get here (classic_given.h). */
#ifndef GLUPY_CLASSIC_KNOWN_H
#define GLUPY_CLASSIC_KNOWN_H

#include "classic/classic.h"

/* Copy what stands at an address. False: not all of it can be read. */
bool glupy_read(const void *from, void *to, size_t size);

/* Does the system let us? */
bool glupy_can_read(void);

/* Write to an address. False: it cannot be written to. */
bool glupy_write(void *to, const void *from, size_t size);

/* A copy of the string at an address, to be freed; NULL: it cannot be read to its end, or is longer than any text that
 * GlusterFS handles, or there is no memory. */
char *glupy_read_text(const char *from);

/* Is it a live one of GlusterFS's? All attached. */
bool glupy_is_inode(struct glupy_classic_state *state, const void *inode);
bool glupy_is_fd(struct glupy_classic_state *state, const void *fd);
bool glupy_is_dict(struct glupy_classic_state *state, const void *dict);
bool glupy_is_iobref(struct glupy_classic_state *state, const void *iobref);

/* Has GlusterFS allocated it, for certain? Without accounts of its memory nobody knows. */
bool glupy_is_allocated(const void *memory);

/* Does a live iobref keep these bytes? */
bool glupy_iobref_keeps(const struct iobref *iobref, const struct iovec *piece);

/* `_core._classic_known(name, address, size)`: is what stands there of the C type that gluster.glupy calls so? Of a type
 * that scripts make themselves: are there as many bytes? */
PyObject *glupy_classic_known_method(PyObject *module, PyObject *args);

/* `_core._classic_free_dirent(address)` and `_core._classic_free_dirents(address)`, of a whole list: what was given to the
 * running function is a copy, and only taken out of its list. False: GlusterFS has not allocated it; it is no list. */
PyObject *glupy_classic_free_dirent_method(PyObject *module, PyObject *address);
PyObject *glupy_classic_free_dirents_method(PyObject *module, PyObject *address);

/* `_core._classic_slot(inode, xlator)`: do the two belong to one graph, so that the inode has a context for it? */
PyObject *glupy_classic_slot_method(PyObject *module, PyObject *args);

#endif
