/* Values of a script's own in a wind or an unwind: looked at, and copied into what C owns.
 *
 * What the script made is copied by value, after it has been found that it can be read; objects of GlusterFS's have to be
 * live ones (classic_known.h). The copy is what is checked and what goes on: nothing that GlusterFS follows is in memory
 * that the script can change afterwards. */
#ifndef GLUPY_CLASSIC_TAKE_H
#define GLUPY_CLASSIC_TAKE_H

#include "classic/classic.h"

/* Whose argument, for messages: "wind_", the fop, and the argument. */
struct glupy_taking {
    struct glupy_classic_request *self;
    const char *what;
    const struct glupy_fop *fop;
    const struct glupy_field *field;
};

/* Fill *held, undefined before, with a copy of *value, which is not NULL. Attached. False with an exception that names
 * the argument and what is wrong with it; nothing is held then. */
bool glupy_classic_take(const struct glupy_taking *taking, const void *value, void *held);

/* Free the entries of a list that GlusterFS allocated and that are no copies that the script was given (`self`: whose
 * function runs; NULL: nobody's). Attached. False: it is no list. */
bool glupy_classic_free_dirents(const struct glupy_classic_request *self, const gf_dirent_t *head,
                                bool (*is_allocated)(const void *memory));

/* Is it an object of this kind (inode, fd, dict) that the request has from its arguments or the latest reply? */
bool glupy_classic_is_own(const struct glupy_classic_request *self, const struct glupy_kind *kind, const void *object);

#endif
