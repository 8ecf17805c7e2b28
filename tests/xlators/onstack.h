/* What the generated fops of onstack need of its hand-written part. */
#ifndef XL_ONSTACK_H
#define XL_ONSTACK_H

#include "calls.h"

/* Let a fop go on down, on the kind of stack that option `stack` names. */
void onstack_down(xlator_t *this, struct call *fop);

/* Whether replies are unwound by whoever brings them (`cbk-stack same`). */
bool onstack_same(xlator_t *this);

/* Let a reply go on up, on the kind of stack that option `cbk-stack` names. */
void onstack_up(xlator_t *this, struct call *reply);

extern struct xlator_fops onstack_fops;

#endif
