/* Reply types: made at import from the fop table, one a fop. See reply.h. */
#include "values/reply.h"

#include <structmember.h>

#include "base/compat.h"
#include "values/types/types.h"

void
glupy_fields_drop(const struct glupy_field *fields, unsigned n, void *held)
{
    for (unsigned i = 0; i < n; i++)
        fields[i].kind->drop(glupy_held(&fields[i], held));
}

void
glupy_fields_move(const struct glupy_field *fields, unsigned n, void *to, void *from)
{
    for (unsigned i = 0; i < n; i++) {
        const struct glupy_kind *kind = fields[i].kind;

        if (kind->move)
            kind->move(glupy_held(&fields[i], to), glupy_held(&fields[i], from));
        else
            memcpy(glupy_held(&fields[i], to), glupy_held(&fields[i], from), kind->held_size);
    }
}

void
glupy_fields_lend(const struct glupy_field *fields, unsigned n, void *held, void *passed)
{
    for (unsigned i = 0; i < n; i++)
        fields[i].kind->lend(glupy_held(&fields[i], held), glupy_passed(&fields[i], passed));
}

int
glupy_fields_hold(const struct glupy_field *fields, unsigned n, void *held, const void *passed)
{
    for (unsigned i = 0; i < n; i++) {
        if (fields[i].kind->hold(glupy_held(&fields[i], held), glupy_passed(&fields[i], passed)) != 0) {
            glupy_fields_drop(fields, i, held);
            return -1;
        }
    }
    return 0;
}

/* A held structure in which nothing is held: every kind's hold() of a NULL or zero value. */
static int
hold_nothing(const struct glupy_fop *fop, void *held)
{
    static const union glupy_any_reply nothing;

    return fop->hold(held, &nothing);
}

struct glupy_reply *
glupy_reply_new(struct glupy_state *state, struct glupy_instance *owner, const struct glupy_fop *fop)
{
    unsigned at = fop->index;
    struct glupy_reply *self = (struct glupy_reply *)glupy_spares_take(&state->reply_spares[at], state->reply_types[at]);

    if (!self)
        return NULL;
    self->owner = (struct glupy_instance *)Py_XNewRef((PyObject *)owner);
    self->fop = fop;
    self->op_ret = 0;
    self->op_errno = 0;
    self->holds = false;
    self->gone = false;
    self->seen = 0;
    memset(self->slot, 0, sizeof(self->slot));
    glupy_holder_init(&self->holder);
    return self;
}

/* One that Python fills. */
static struct glupy_reply *
new_empty(struct glupy_state *state, struct glupy_instance *owner, const struct glupy_fop *fop)
{
    struct glupy_reply *self = glupy_reply_new(state, owner, fop);

    if (self && hold_nothing(fop, self->held) != 0) {
        Py_DECREF(self);
        PyErr_NoMemory();
        return NULL;
    }
    if (self)
        self->holds = true;
    return self;
}

static void
let_go_entries(gf_dirent_t *head, bool alive)
{
    gf_dirent_t *entry;

    list_for_each_entry(entry, &head->list, list)
    {
        glupy_let_go_inode(&entry->inode, alive);
    }
}

static void
let_go(struct glupy_holder *holder, bool alive)
{
    struct glupy_reply *self = (void *)((char *)holder - offsetof(struct glupy_reply, holder));

    self->gone = self->holds;
    for (unsigned i = 0; self->holds && i < self->fop->nreply; i++) {
        const struct glupy_field *field = &self->fop->reply[i];

        if (field->kind == &glupy_kind_inode)
            glupy_let_go_inode(glupy_held(field, self->held), alive);
        else if (field->kind == &glupy_kind_fd)
            glupy_let_go_fd(glupy_held(field, self->held), alive);
        else if (field->kind == &glupy_kind_dirents)
            let_go_entries(glupy_held(field, self->held), alive);
    }
}

void
glupy_reply_lose(struct glupy_reply *self)
{
    let_go(&self->holder, false);
}

void
glupy_reply_expect(struct glupy_state *state, struct glupy_reply *self, inode_table_t *table)
{
    if (table)
        glupy_holder_add(state, &self->holder, table, let_go);
}

/* A list head or an iovec is only there when there is something in it: protocol/client hands an uninitialised list on
 * when getactivelk fails early. */
static bool
is_absent(const struct glupy_kind *kind, int32_t op_ret)
{
    if (kind == &glupy_kind_locklist)
        return op_ret <= 0;
    return op_ret < 0 && (kind == &glupy_kind_dirents || kind == &glupy_kind_payload);
}

static int
hold_what_is_there(struct glupy_reply *self, const void *passed)
{
    static const union glupy_any_reply nothing;

    for (unsigned i = 0; i < self->fop->nreply; i++) {
        const struct glupy_field *field = &self->fop->reply[i];
        const void *from = is_absent(field->kind, self->op_ret) ? &nothing : glupy_passed(field, passed);

        if (field->kind->hold(glupy_held(field, self->held), from) != 0) {
            glupy_fields_drop(self->fop->reply, i, self->held);
            return -1;
        }
    }
    return 0;
}

static int
hold_reply_fields(struct glupy_reply *self, const void *passed)
{
    if (!passed)
        return hold_nothing(self->fop, self->held);
    return self->fop->partial ? hold_what_is_there(self, passed) : self->fop->hold(self->held, passed);
}

int
glupy_reply_hold(struct glupy_reply *self, int32_t op_ret, int32_t op_errno, const void *passed)
{
    self->op_ret = op_ret;
    self->op_errno = op_errno;
    self->holds = true;
    if (hold_reply_fields(self, passed) == 0)
        return 0;
    self->op_ret = -1;
    self->op_errno = ENOMEM;
    (void)hold_nothing(self->fop, self->held);
    return -1;
}

/* False with ReferenceError when the graph is gone that the field pointed into. */
static bool
is_alive(const struct glupy_reply *self, const struct glupy_kind *kind)
{
    if (!self->gone || (kind != &glupy_kind_inode && kind != &glupy_kind_fd && kind != &glupy_kind_dirents))
        return true;
    PyErr_SetString(PyExc_ReferenceError, "the graph of this reply is gone");
    return false;
}

/* The object for field i: a borrowed reference, or NULL with MemoryError or ReferenceError. */
static PyObject *
field_object(struct glupy_reply *self, unsigned i)
{
    const struct glupy_field *field = &self->fop->reply[i];

    if (!self->slot[i] && is_alive(self, field->kind)) {
        self->slot[i] = field->kind->adopt(glupy_state_of((PyObject *)self), glupy_held(field, self->held));
        if (self->slot[i]) {
            self->seen |= 1u << i;
            glupy_set_owner(field->kind, self->slot[i], self->owner);
        }
    }
    return self->slot[i];
}

static int
take_field(struct glupy_reply *self, unsigned i, void *to)
{
    PyObject *object = field_object(self, i);

    return object ? self->fop->reply[i].kind->take(object, to) : -1;
}

int
glupy_reply_take(struct glupy_reply *self, void *held, bool last)
{
    bool move = last && !self->gone && glupy_sole_reference((PyObject *)self);
    unsigned i;

    if (move && !self->seen) {
        self->fop->move(held, self->held);
        self->holds = false;
        return 0;
    }
    for (i = 0; i < self->fop->nreply; i++) {
        const struct glupy_field *field = &self->fop->reply[i];
        void *to = glupy_held(field, held), *from = glupy_held(field, self->held);

        if (move && !self->slot[i]) {
            static const union glupy_any_reply nothing;

            glupy_fields_move(&(struct glupy_field){.kind = field->kind}, 1, to, from);
            (void)field->kind->hold(from, &nothing);
        } else if (take_field(self, i, to) != 0) {
            glupy_fields_drop(self->fop->reply, i, held);
            return -1;
        }
    }
    return 0;
}

void
glupy_reply_raise(struct glupy_reply *self)
{
    struct glupy_state *state = glupy_state_of((PyObject *)self);
    PyObject *text = PyUnicode_DecodeLocale(strerror(self->op_errno), "surrogateescape");
    PyObject *error = text ? PyObject_CallFunction(PyExc_OSError, "iO", self->op_errno, text) : NULL;

    if (error && PyObject_SetAttr(error, state->str_reply, (PyObject *)self) == 0)
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
    Py_XDECREF(text);
}

bool
glupy_is_reply(PyObject *object)
{
    /* Every reply type has this dealloc, and nothing else has. */
    extern void glupy_reply_dealloc(PyObject *);

    return Py_TYPE(object)->tp_dealloc == glupy_reply_dealloc;
}

void
glupy_reply_dealloc(PyObject *object)
{
    struct glupy_reply *self = (struct glupy_reply *)object;

    for (unsigned i = 0; (self->seen || self->holds) && i < self->fop->nreply; i++) {
        /* What C still holds becomes an object whose own dealloc hands the references to drops.h; most often it is
         * empty, its content moved into the answer. */
        const struct glupy_field *field = &self->fop->reply[i];

        if (self->slot[i])
            Py_DECREF(self->slot[i]);
        else if (self->holds)
            field->kind->discard(glupy_held(field, self->held));
    }
    glupy_holder_remove(&self->holder);
    Py_XDECREF(self->owner);
    glupy_spares_give(&glupy_state_of(object)->reply_spares[self->fop->index], object);
}

/* What op_ret says of a successful reply whose data Python made: the number of bytes, entries, locks, characters. */
static Py_ssize_t
natural_op_ret(const struct glupy_kind *kind, PyObject *object)
{
    if (kind == &glupy_kind_payload || kind == &glupy_kind_dirents)
        return PyObject_Length(object);
    if (kind == &glupy_kind_locklist)
        return object == Py_None ? 0 : PyObject_Length(object);
    if (kind == &glupy_kind_string)
        return object == Py_None ? 0 : PyBytes_GET_SIZE(object);
    return 0;
}

static bool
sets_op_ret(const struct glupy_kind *kind)
{
    return kind == &glupy_kind_payload || kind == &glupy_kind_dirents || kind == &glupy_kind_locklist ||
           kind == &glupy_kind_string;
}

/* What nobody has looked at is given up for what is set in its place. */
static void
forget_held(struct glupy_reply *self, unsigned i)
{
    static const union glupy_any_reply nothing;
    const struct glupy_kind *kind = self->fop->reply[i].kind;
    void *held = glupy_held(&self->fop->reply[i], self->held);

    if (!self->holds)
        return;
    kind->discard(held);
    (void)kind->hold(held, &nothing);
}

static int
set_field(struct glupy_reply *self, unsigned i, PyObject *value)
{
    const struct glupy_field *field = &self->fop->reply[i];
    PyObject *object = field->kind->convert(glupy_state_of((PyObject *)self), value);

    if (!object) {
        PyObject *error = PyErr_GetRaisedException();

        PyErr_Format((PyObject *)Py_TYPE(error), "%s: %S", field->name, error);
        Py_DECREF(error);
        return -1;
    }
    if (sets_op_ret(field->kind) && self->op_ret >= 0)
        self->op_ret = (int32_t)natural_op_ret(field->kind, object);
    if (!self->slot[i])
        forget_held(self, i);
    self->seen |= 1u << i;
    Py_XSETREF(self->slot[i], object);
    return 0;
}

static PyObject *
get_field(PyObject *object, void *index)
{
    struct glupy_reply *self = (struct glupy_reply *)object;
    unsigned i = (unsigned)(uintptr_t)index;
    PyObject *value = field_object(self, i);

    if (!value)
        return NULL;
    /* Text is kept as bytes inside, and is str outside. */
    if (self->fop->reply[i].kind == &glupy_kind_string && PyBytes_Check(value))
        return glupy_text(PyBytes_AS_STRING(value));
    return Py_NewRef(value);
}

static int
put_field(PyObject *object, PyObject *value, void *index)
{
    return set_field((struct glupy_reply *)object, (unsigned)(uintptr_t)index, value ? value : Py_None);
}

static const struct glupy_fop *
fop_of_type(struct glupy_state *state, PyTypeObject *type)
{
    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++)
        if (state->reply_types[i] == type)
            return &glupy_fops[i];
    PyErr_Format(PyExc_TypeError, "%s cannot be built; use the reply type of a fop", type->tp_name);
    return NULL;
}

static int
field_index(const struct glupy_fop *fop, PyObject *name)
{
    for (unsigned i = 0; i < fop->nreply; i++)
        if (PyUnicode_CompareWithASCIIString(name, fop->reply[i].name) == 0 ||
            (fop->reply[i].kind == &glupy_kind_payload && PyUnicode_CompareWithASCIIString(name, "data") == 0))
            return (int)i;
    return -1;
}

static int put_op_ret(PyObject *self, PyObject *value, void *unused);

static int
set_keywords(struct glupy_reply *self, PyObject *kwargs)
{
    PyObject *key, *value;
    Py_ssize_t pos = 0;
    PyObject *op_ret = NULL;

    while (kwargs && PyDict_Next(kwargs, &pos, &key, &value)) {
        int i = field_index(self->fop, key);

        if (PyUnicode_CompareWithASCIIString(key, "op_ret") == 0) {
            op_ret = value; /* last: fields set it, too */
        } else if (i < 0) {
            PyErr_Format(PyExc_TypeError, "%s has no field %R", Py_TYPE(self)->tp_name, key);
            return -1;
        } else if (set_field(self, (unsigned)i, value) != 0) {
            return -1;
        }
    }
    return op_ret ? put_op_ret((PyObject *)self, op_ret, NULL) : 0;
}

static PyObject *
reply_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct glupy_state *state = glupy_state_of_type(type);
    const struct glupy_fop *fop = fop_of_type(state, type);
    struct glupy_reply *self = fop ? new_empty(state, NULL, fop) : NULL;

    if (!self)
        return NULL;
    if (PyTuple_GET_SIZE(args) > fop->nreply) {
        PyErr_Format(PyExc_TypeError, "%s has %d fields, %zd given", type->tp_name, fop->nreply, PyTuple_GET_SIZE(args));
        goto error;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++)
        if (set_field(self, (unsigned)i, PyTuple_GET_ITEM(args, i)) != 0)
            goto error;
    if (set_keywords(self, kwargs) != 0)
        goto error;
    return (PyObject *)self;
error:
    Py_DECREF(self);
    return NULL;
}

PyDoc_STRVAR(replace_doc, "replace($self, /, **fields)\n--\n\n"
                          "A copy of this reply with some fields changed. Raises TypeError for an unknown field or a value of the wrong\ntype.");

static PyObject *
reply_replace(PyObject *object, PyObject *args, PyObject *kwargs)
{
    struct glupy_reply *self = (struct glupy_reply *)object, *copy;

    if (PyTuple_GET_SIZE(args)) {
        PyErr_SetString(PyExc_TypeError, "replace() takes fields by keyword");
        return NULL;
    }
    copy = new_empty(glupy_state_of(object), self->owner, self->fop);
    if (!copy)
        return NULL;
    copy->op_ret = self->op_ret;
    copy->op_errno = self->op_errno;
    for (unsigned i = 0; i < self->fop->nreply; i++) {
        PyObject *value = field_object(self, i);

        if (!value) {
            Py_DECREF(copy);
            return NULL;
        }
        copy->slot[i] = Py_NewRef(value);
        copy->seen |= 1u << i;
    }
    if (set_keywords(copy, kwargs) != 0)
        Py_CLEAR(copy);
    return (PyObject *)copy;
}

static PyObject *
reply_repr(PyObject *object)
{
    struct glupy_reply *self = (struct glupy_reply *)object;
    const char *name = strrchr(Py_TYPE(object)->tp_name, '.');
    PyObject *text = PyUnicode_FromFormat("%s(", name ? name + 1 : Py_TYPE(object)->tp_name);

    for (unsigned i = 0; text && i < self->fop->nreply; i++) {
        PyObject *value = get_field(object, (void *)(uintptr_t)i);

        if (!value) {
            Py_DECREF(text);
            return NULL;
        }
        Py_SETREF(text, PyUnicode_FromFormat("%U%s=%R, ", text, self->fop->reply[i].name, value));
        Py_DECREF(value);
    }
    if (text)
        Py_SETREF(text, PyUnicode_FromFormat("%Uop_ret=%d)", text, self->op_ret));
    return text;
}

static PyMethodDef reply_methods[] = {
    {"replace", _PyCFunction_CAST(reply_replace), METH_VARARGS | METH_KEYWORDS, replace_doc},
    {NULL, NULL, 0, NULL},
};

static PyObject *
get_op_ret(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromLong(((struct glupy_reply *)self)->op_ret);
}

static int
put_op_ret(PyObject *self, PyObject *value, void *unused)
{
    long op_ret = value ? PyLong_AsLong(value) : -1;

    (void)unused;
    if (op_ret >= 0 && op_ret <= INT32_MAX) {
        ((struct glupy_reply *)self)->op_ret = (int32_t)op_ret;
        return 0;
    }
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "op_ret: a reply is a success; raise OSError for an error");
    return -1;
}

static PyGetSetDef reply_getset[] = {
    {"op_ret", get_op_ret, put_op_ret,
     "What the fop returned: 0, or a count of bytes or entries; -1 in the reply that an OSError carries.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef reply_members[] = {
    {"op_errno", T_INT, offsetof(struct glupy_reply, op_errno), READONLY, "The errno of a failed fop."},
    {NULL, 0, 0, 0, NULL},
};

/* The fields of one reply type; `data` is another name for readv's vector. */
static PyGetSetDef *
field_getset(const struct glupy_fop *fop)
{
    PyGetSetDef *getset = calloc(fop->nreply + 2u, sizeof(*getset));
    unsigned n = 0;

    for (unsigned i = 0; getset && i < fop->nreply; i++) {
        void *index = (void *)(uintptr_t)i;

        getset[n++] = (PyGetSetDef){fop->reply[i].name, get_field, put_field, NULL, index};
        if (fop->reply[i].kind == &glupy_kind_payload)
            getset[n++] = (PyGetSetDef){"data", get_field, put_field, "The bytes read: another name for vector.", index};
    }
    return getset;
}

static int
set_match_args(PyTypeObject *type, const struct glupy_fop *fop)
{
    PyObject *names = PyTuple_New(fop->nreply);

    for (unsigned i = 0; names && i < fop->nreply; i++) {
        PyObject *name = PyUnicode_FromString(fop->reply[i].name);

        if (!name)
            Py_CLEAR(names);
        else
            PyTuple_SET_ITEM(names, i, name);
    }
    if (!names || PyDict_SetItemString(type->tp_dict, "__match_args__", names) != 0) {
        Py_XDECREF(names);
        return -1;
    }
    Py_DECREF(names);
    PyType_Modified(type);
    return 0;
}

#define DOC_ROOM 160u

static int
add_reply_type(struct glupy_state *state, const struct glupy_fop *fop)
{
    PyGetSetDef *getset = field_getset(fop); /* lives as long as the type: for ever */
    char doc[DOC_ROOM];                      /* the type copies it */
    PyType_Slot slots[] = {
        {Py_tp_doc, doc},
        {Py_tp_base, state->reply_type},
        {Py_tp_new, reply_tp_new},
        {Py_tp_dealloc, glupy_reply_dealloc},
        {Py_tp_repr, reply_repr},
        {Py_tp_getset, getset},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = fop->reply_name,
        .basicsize = (int)(sizeof(struct glupy_reply) + fop->reply_held_size),
        .flags = Py_TPFLAGS_DEFAULT,
        .slots = slots,
    };
    PyTypeObject **slot = &state->reply_types[fop->index];

    snprintf(doc, sizeof(doc), "What %s answers: the arguments of fop_%s_cbk_t (xlator.h). Fields that are not given are empty.",
             fop->name, fop->name);
    if (!getset) {
        PyErr_NoMemory();
        return -1;
    }
    if (glupy_add_type(state, &spec, slot) != 0)
        return -1;
    return set_match_args(*slot, fop);
}

static PyType_Slot reply_slots[] = {
    {Py_tp_doc, "What a fop answers: base of the reply types, one a fop, with the fields of its callback in xlator.h."},
    {Py_tp_methods, reply_methods},
    {Py_tp_members, reply_members},
    {Py_tp_getset, reply_getset},
    {0, NULL},
};

static PyType_Spec reply_spec = {
    .name = "glupy._core.Reply",
    .basicsize = sizeof(struct glupy_reply),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = reply_slots,
};

int
glupy_reply_setup(struct glupy_state *state)
{
    state->reply_types = PyMem_Calloc(GLUPY_FOP_COUNT, sizeof(*state->reply_types));
    state->reply_spares = PyMem_Calloc(GLUPY_FOP_COUNT, sizeof(*state->reply_spares));
    if (!state->reply_types || !state->reply_spares) {
        PyErr_NoMemory();
        return -1;
    }
    if (glupy_add_type(state, &reply_spec, &state->reply_type) != 0)
        return -1;
    for (unsigned i = 0; i < GLUPY_FOP_COUNT; i++)
        if (add_reply_type(state, &glupy_fops[i]) != 0)
            return -1;
    return 0;
}
