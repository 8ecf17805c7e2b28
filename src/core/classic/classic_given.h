/* What a script is given of a fop's arguments and of replies.
 *
 * It may write into structures that it is given, as C translators do into a reply's. So what C has by value (locs, iatts,
 * vectors, lists of entries and the like) it is given as copies: neither the caller nor the child finds its memory
 * changed. Objects of GlusterFS's (inodes, fds, dicts, iobrefs) it is given themselves. What comes back in a wind or unwind
 * as it was given stands for the original, whatever its size, and has not to be looked at. */
#ifndef GLUPY_CLASSIC_GIVEN_H
#define GLUPY_CLASSIC_GIVEN_H

#include "values/fops_gen.h"

struct glupy_classic_state;

struct glupy_given {
    struct glupy_given *next; /* among the spare ones, or among those of a request */
    const struct glupy_field *fields;
    unsigned nfields;
    union {
        union glupy_any_args args;
        union glupy_any_reply reply;
    } shown;
    void *more;    /* copies of a vector's or list's elements */
    size_t nmore;
    char values[] __attribute__((aligned(16))); /* copies, where C has them when it owns them */
};

/* Copies of what `passed` has, a structure of so many bytes. Attached. NULL with MemoryError. */
struct glupy_given *glupy_given_new(struct glupy_classic_state *state, const struct glupy_field *fields, unsigned nfields,
                                    const void *passed, size_t size);

/* Pointers that the script has kept see zeroes from now on, or what others are given. NULL will do. Attached. */
void glupy_given_free(struct glupy_classic_state *state, struct glupy_given *self);

/* Is this value what the script was given as field i, unchanged? `passed`: the originals. */
bool glupy_given_same(const struct glupy_given *self, unsigned i, const void *value, const void *passed);

/* The originals have moved, from what `was` points to, which is still there, to what `is` points to. */
void glupy_given_moved(struct glupy_given *self, const void *was, const void *is);

/* The entry of a list that stands behind a copy of it, or NULL: this is none that was given. */
void *glupy_given_entry(const struct glupy_given *self, const void *copy);

#endif
