/* How values of the kinds that nearly every fop has cross, spelt out: for code that is generated for one fop (fops_gen.c),
 * where the kind is known and a call by its table would cost more than the work itself. What they do, and which need the
 * interpreter, is told in kind.h; what is not here goes by the kind's table (tools/kinds.py says what is). */
#ifndef GLUPY_STRAIGHT_H
#define GLUPY_STRAIGHT_H

#include <string.h>

#include "values/types/types.h"

/* By the table. */
static inline int
glupy_fit(const struct glupy_kind *kind, PyObject *object)
{
    return kind->fit ? kind->fit(object) : 0;
}

/* loc */

static inline PyObject *
glupy_loc_wrap(struct glupy_state *state, struct glupy_instance *owner, const void *passed)
{
    loc_t *loc = *(loc_t *const *)passed;
    struct glupy_loc *self;

    if (!loc)
        Py_RETURN_NONE;
    self = (struct glupy_loc *)glupy_spares_take(&state->loc_spares, state->loc_type);
    if (self) {
        self->owner = (struct glupy_instance *)Py_XNewRef((PyObject *)owner);
        self->loc = loc;
        self->gone = false;
        glupy_holder_init(&self->holder);
    }
    return (PyObject *)self;
}

static inline PyObject *
glupy_loc_convert(struct glupy_state *state, PyObject *value)
{
    if (value == Py_None || Py_IS_TYPE(value, state->loc_type))
        return Py_NewRef(value);
    return PyErr_Format(PyExc_TypeError, "expected Loc, not %s", Py_TYPE(value)->tp_name);
}

static inline int
glupy_loc_fit(PyObject *object)
{
    struct glupy_loc *self = (struct glupy_loc *)object;

    return object != Py_None && !self->gone && self->loc->inode ? 0 : glupy_loc_unfit(object);
}

static inline void
glupy_loc_pass(PyObject *object, void *passed)
{
    *(loc_t **)passed = object == Py_None ? NULL : ((struct glupy_loc *)object)->loc;
}

/* dict */

/* A new Xdata; an owner takes over the caller's reference to `dict`. */
static inline PyObject *
glupy_xdata_alloc(struct glupy_state *state, dict_t *dict, bool owned)
{
    struct glupy_xdata *self = (struct glupy_xdata *)glupy_spares_take(&state->xdata_spares, state->xdata_type);

    if (!self)
        return NULL;
    self->exclusive = false;
    self->index = NULL;
    self->lookups = 0;
    self->thread = NULL;
    self->dict = dict;
    self->owned = owned && dict;
    return (PyObject *)self;
}

static inline PyObject *
glupy_dict_wrap(struct glupy_state *state, struct glupy_instance *owner, const void *passed)
{
    (void)owner;
    return glupy_xdata_alloc(state, *(dict_t *const *)passed, false);
}

static inline PyObject *
glupy_dict_convert(struct glupy_state *state, PyObject *value)
{
    return value == Py_None || Py_IS_TYPE(value, state->xdata_type) ? Py_NewRef(value) : glupy_xdata_of_mapping(state, value);
}

static inline void
glupy_dict_pass(PyObject *object, void *passed)
{
    *(dict_t **)passed = glupy_xdata_dict(object);
}

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
