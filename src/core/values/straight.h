/* How values of the kinds that nearly every reply has cross, spelt out: for code that is generated for one fop (fops_gen.c),
 * where the kind is known and a call by its table would cost more than the work itself. What they do is told in kind.h; a kind
 * that is not here goes by its table (tools/kinds.py says which are). None of them needs the interpreter. */
#ifndef GLUPY_STRAIGHT_H
#define GLUPY_STRAIGHT_H

#include <string.h>

#include "base/gluster.h"

/* dict */

static inline int
glupy_dict_hold(void *held, const void *passed)
{
    dict_t *dict = *(dict_t *const *)passed;

    *(dict_t **)held = dict ? dict_ref(dict) : NULL;
    return 0;
}

static inline void
glupy_dict_lend(void *held, void *passed)
{
    *(dict_t **)passed = *(dict_t **)held;
}

static inline void
glupy_dict_drop(void *held)
{
    dict_t *dict = *(dict_t **)held;

    *(dict_t **)held = NULL;
    if (dict)
        dict_unref(dict);
}

/* iatt */

static inline int
glupy_iatt_hold(void *held, const void *passed)
{
    const struct iatt *iatt = *(struct iatt *const *)passed;

    if (iatt)
        memcpy(held, iatt, sizeof(*iatt));
    else
        memset(held, 0, sizeof(*iatt));
    return 0;
}

static inline void
glupy_iatt_lend(void *held, void *passed)
{
    *(struct iatt **)passed = held;
}

static inline void
glupy_iatt_drop(void *held)
{
    (void)held;
}

#endif
