/* Replies: what a callback brought, or what a translator answers. One Python type a fop, all of one make. */
#ifndef GLUPY_REPLY_H
#define GLUPY_REPLY_H

#include "values/fops_gen.h"
#include "values/holders.h"

/* A field is in `held` (as C owns it) until Python looks at it, then an object in `slot`, which from then on is what
 * counts. So a reply that nobody looks into is never turned into Python objects. */
struct glupy_reply {
    PyObject_HEAD
    struct glupy_holder holder;
    struct glupy_instance *owner; /* to which a child sent it: a reference; NULL for one that Python made */
    const struct glupy_fop *fop;
    int32_t op_ret;
    int32_t op_errno;
    bool holds; /* `held` has been filled, and not been moved out whole */
    bool gone;  /* what it held of its graph is no longer there */
    unsigned seen; /* fields that Python has looked at or set, which are in `slot`: a bit for each */
    PyObject *slot[GLUPY_MAX_REPLY];
    char held[] __attribute__((aligned(16))); /* struct glupy_NAME_reply_held */
};

/* A reply that is to be filled by glupy_reply_hold() before anybody looks at it. Attached. NULL with MemoryError. */
struct glupy_reply *glupy_reply_new(struct glupy_state *state, struct glupy_instance *owner,
                                    const struct glupy_fop *fop);

bool glupy_is_reply(PyObject *object);

/* A reply that a callback will fill: what it will hold is of this table. Attached. */
void glupy_reply_expect(struct glupy_state *state, struct glupy_reply *self, inode_table_t *table);

/* Its graph is gone, before it was looked at: what it holds of that is no longer there. Attached. */
void glupy_reply_lose(struct glupy_reply *reply);

/* Own what a callback brings; `passed` is NULL where it is nothing. Not attached: nobody else knows of the reply yet. 0,
 * or -1 without memory. */
int glupy_reply_hold(struct glupy_reply *self, int32_t op_ret, int32_t op_errno, const void *passed);

/* Fill `held` (a struct glupy_NAME_reply_held) with what the reply has, as references and copies of its own; when
 * `last` nobody will use the reply again and its content may be moved out. Attached. 0, or -1 with an exception. */
int glupy_reply_take(struct glupy_reply *self, void *held, bool last);

/* The OSError for a reply whose op_ret is -1; it carries the reply. Attached. Raises it. */
void glupy_reply_raise(struct glupy_reply *self);

/* Create the type. 0, or -1 with an exception. Attached. */
int glupy_reply_setup(struct glupy_state *state);

#endif
