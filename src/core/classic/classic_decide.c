/* What a classic script decides by dl.wind_X and dl.unwind_X: checked here, carried out by classic.c and answer.c.
 *
 * ctypes has seen to it that every pointer is of the right type, or NULL. What was given to the script (classic_given.h)
 * and comes back unchanged goes on as the original. All else is looked at before anything follows it, and goes on as a
 * copy (classic_take.h). Attached throughout: ctypes calls these as it calls functions of Python's own C API. */
#include "classic/classic.h"

#include "base/compat.h"
#include "classic/classic_known.h"
#include "classic/classic_take.h"
#include "request/answer.h"
#include "request/child.h"
#include "request/wind.h"

/* Applications know no errnos above it: see answer.c. */
#define LARGEST_ERRNO 511

extern const struct glupy_awaitable_ops glupy_classic_wind_ops;

/* ctypes calls us without a module: the state is found by the interpreter that the thread is in. */
static struct {
    PyInterpreterState *interpreter;
    struct glupy_classic_state *classic;
} states[GLUPY_MAX_INTERPRETERS + 1];
static atomic_uint nstates;

bool
glupy_classic_know(struct glupy_classic_state *classic)
{
    unsigned slot = atomic_fetch_add(&nstates, 1);

    if (slot > GLUPY_MAX_INTERPRETERS) {
        PyErr_SetString(PyExc_ImportError, "gluster.glupy: more interpreters than glupy knows of");
        return false;
    }
    states[slot].classic = classic;
    states[slot].interpreter = PyInterpreterState_Get();
    return true;
}

static struct glupy_classic_state *
classic_state(void)
{
    PyInterpreterState *here = PyInterpreterState_Get();
    unsigned known = atomic_load_explicit(&nstates, memory_order_relaxed);

    for (unsigned i = 0; i < known && i <= GLUPY_MAX_INTERPRETERS; i++)
        if (states[i].interpreter == here)
            return states[i].classic;
    return NULL;
}

/* The live request of a frame, or NULL with an exception. */
static struct glupy_classic_request *
live(call_frame_t *frame, const char *what, const char *fop)
{
    struct glupy_classic_request *self = frame && classic_state() ? glupy_classic_find(classic_state(), frame) : NULL;

    if (!self)
        PyErr_Format(PyExc_ReferenceError,
                     "%s%s: frame: expected the one that the fop was given; this is none, or its request has ended", what,
                     fop);
    return self;
}

/* A method decides once. What comes after it is a mistake even if the script catches the exception. */
static void
refuse_second(struct glupy_classic_request *self, const char *what, const char *fop)
{
    PyErr_Format(PyExc_RuntimeError, "%s%s: the call has %s already, and may do so once: nothing of both is done", what,
                 fop, self->decision == GLUPY_WOUND ? "wound" : "unwound");
    if (!self->misuse) {
        self->misuse = PyErr_GetRaisedException();
        PyErr_SetRaisedException(Py_NewRef(self->misuse));
    }
}

static bool
may_decide(struct glupy_classic_request *self, const char *what, const char *fop)
{
    if (self->calling && self->decision == GLUPY_UNDECIDED)
        return true;
    if (self->calling)
        refuse_second(self, what, fop);
    else
        PyErr_Format(PyExc_RuntimeError, "%s%s: this %s is wound: its callback will be called with the reply", what, fop,
                     self->request->fop->name);
    return false;
}

static struct glupy_classic_request *
undecided(call_frame_t *frame, const char *what, const char *fop)
{
    struct glupy_classic_request *self = live(frame, what, fop);

    return self && may_decide(self, what, fop) ? self : NULL;
}

/* Values. */

static bool
is_number(const struct glupy_kind *kind)
{
    return kind->form == GLUPY_NUMBER;
}

static bool
is_null(const struct glupy_field *field, const void *passed)
{
    if (field->kind == &glupy_kind_payload)
        return ((struct glupy_payload *)glupy_passed(field, passed))->count == 0 || !glupy_passed_pointer(field, passed);
    return !is_number(field->kind) && !glupy_passed_pointer(field, passed);
}

/* May it be None? False with TypeError. */
static bool
fits_null(const char *what, const struct glupy_fop *fop, const struct glupy_field *field, const void *passed, bool nullable)
{
    const struct glupy_payload *payload = glupy_passed(field, passed);

    if (!is_null(field, passed) || nullable || field->kind == &glupy_kind_checksum || field->kind == &glupy_kind_opaque)
        return true;
    if (field->kind != &glupy_kind_payload)
        PyErr_Format(PyExc_TypeError, "%s%s: %s is None", what, fop->name, field->name);
    else if (payload->count != 0)
        PyErr_Format(PyExc_TypeError, "%s%s: %s is None, count is %d", what, fop->name, field->name, payload->count);
    return !PyErr_Occurred();
}

/* Make *value the original where it is what the script was given as a field of this kind, unchanged. */
static bool
as_given(const struct glupy_given *given, const struct glupy_kind *kind, void *value, const void *passed)
{
    for (unsigned i = 0; given && i < given->nfields; i++) {
        if (given->fields[i].kind == kind && glupy_given_same(given, i, value, passed)) {
            memcpy(value, glupy_passed(&given->fields[i], passed), kind->passed_size);
            return true;
        }
    }
    return false;
}

/* Does the value live as long as the request does: a number, None, or what the script was given? */
static bool
is_lent(struct glupy_classic_request *self, const struct glupy_field *field, void *value)
{
    return is_number(field->kind) || (field->kind != &glupy_kind_payload && !*(void **)value) ||
           as_given(self->args_given, field->kind, value, &self->args) ||
           as_given(self->reply_given, field->kind, value, &self->reply_passed);
}

/* Strings are compared with those that were given, so they are read first: copies of those that may not be sound. */
struct texts {
    char *copies[GLUPY_MAX_ARGS > GLUPY_MAX_REPLY ? GLUPY_MAX_ARGS : GLUPY_MAX_REPLY];
};

static void
free_texts(struct texts *texts)
{
    for (unsigned i = 0; i < sizeof(texts->copies) / sizeof(texts->copies[0]); i++)
        free(texts->copies[i]);
}

/* Put copies in their place. False with ValueError. */
static bool
read_texts(struct texts *texts, const char *what, const struct glupy_fop *fop, const struct glupy_field *fields,
           unsigned nfields, void *passed)
{
    memset(texts, 0, sizeof(*texts));
    for (unsigned i = 0; i < nfields; i++) {
        char **text = glupy_passed(&fields[i], passed);

        if (fields[i].kind != &glupy_kind_string || !*text)
            continue;
        *text = texts->copies[i] = glupy_read_text(*text);
        if (!*text) {
            PyErr_Format(PyExc_ValueError, "%s%s: %s points to where no string can be read", what, fop->name,
                         fields[i].name);
            free_texts(texts);
            return false;
        }
    }
    return true;
}

/* Winding. */

/* A loc leads to an inode, where the fop table does not say otherwise. */
static bool
fits_loc(const struct glupy_fop *fop, const struct glupy_field *field, const loc_t *loc)
{
    if (loc->inode || field->inodeless)
        return true;
    PyErr_Format(PyExc_ValueError, "wind_%s: %s has no inode", fop->name, field->name);
    return false;
}

static bool
fits_arguments(const struct glupy_fop *fop, const void *passed)
{
    for (unsigned i = 0; i < fop->nargs; i++)
        if (!fits_null("wind_", fop, &fop->args[i], passed, fop->args[i].nullable))
            return false;
    return true;
}

/* What is not the script's own is lent; the rest is copied. */
static bool
keep_argument(struct glupy_classic_request *self, struct glupy_wind *wind, unsigned i)
{
    const struct glupy_field *field = &wind->fop->args[i];
    const struct glupy_taking taking = {self, "wind_", wind->fop, field};
    void *value = glupy_passed(field, &wind->passed);

    if (!is_lent(self, field, value)) {
        self->lent = false;
        if (!self->held && !(self->held = calloc(1, wind->fop->args_held_size))) {
            PyErr_NoMemory();
            return false;
        }
        if (!glupy_classic_take(&taking, value, glupy_held(field, self->held)))
            return false;
        self->held_fields |= 1u << i;
        field->kind->lend(glupy_held(field, self->held), value);
    }
    return field->kind != &glupy_kind_loc || !*(loc_t **)value || fits_loc(wind->fop, field, *(loc_t **)value);
}

static bool
keep_arguments(struct glupy_classic_request *self, struct glupy_wind *wind)
{
    for (unsigned i = 0; i < wind->fop->nargs; i++)
        if (!keep_argument(self, wind, i))
            return false;
    return true;
}

/* NULL and the translator itself stand for the first child, as they always have. A borrowed reference. */
static PyObject *
child_of(struct glupy_instance *instance, xlator_t *child, const char *fop)
{
    if ((!child || child == instance->this) && PyTuple_GET_SIZE(instance->children) > 0)
        return PyTuple_GET_ITEM(instance->children, 0);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(instance->children); i++)
        if (((struct glupy_child *)PyTuple_GET_ITEM(instance->children, i))->xlator == child)
            return PyTuple_GET_ITEM(instance->children, i);
    PyErr_Format(PyExc_ValueError, "wind_%s: this is no child of %s: POINTER(xlator_t)() stands for the first one", fop,
                 instance->this->name);
    return NULL;
}

/* Decided: what is wound, not yet with what. NULL with an exception. */
static struct glupy_wind *
begin_wind(struct glupy_classic_request *self, PyObject *child, const struct glupy_fop *fop, const void *passed)
{
    struct glupy_instance *instance = self->request->instance;
    struct glupy_wind *wind = glupy_wind_new(instance->state, fop, child);

    if (!wind)
        return NULL;
    wind->base.ops = &glupy_classic_wind_ops;
    memcpy(&wind->passed, passed, fop->args_passed_size);
    wind->reply = glupy_reply_new(instance->state, instance, fop);
    self->wind = wind;
    self->decision = GLUPY_WOUND;
    self->lent = true;
    self->held_fop = fop;
    if (wind->reply)
        return wind;
    glupy_classic_undecide(self);
    return NULL;
}

bool
glupy_classic_decide_as_came(struct glupy_classic_request *self)
{
    const struct glupy_fop *fop = self->request->fop;
    PyObject *child = child_of(self->request->instance, NULL, fop->name);

    if (!child || !fits_arguments(fop, &self->args))
        return false;
    for (unsigned i = 0; i < fop->nargs; i++) {
        const struct glupy_field *field = &fop->args[i];

        if (field->kind == &glupy_kind_loc && glupy_passed_pointer(field, &self->args) &&
            !fits_loc(fop, field, glupy_passed_pointer(field, &self->args)))
            return false;
    }
    return begin_wind(self, child, fop, &self->args);
}

static void
decide_wind(struct glupy_classic_request *self, xlator_t *to, const struct glupy_fop *fop, const void *passed)
{
    struct glupy_instance *instance = self->request->instance;
    PyObject *child = fits_arguments(fop, passed) ? child_of(instance, to, fop->name) : NULL;
    struct glupy_wind *wind;

    if (!child)
        return;
    if (fop != self->request->fop && !glupy_classic_of(instance)->callbacks[fop->index]) {
        PyErr_Format(PyExc_RuntimeError, "wind_%s: there is no %s_cbk to take its reply, and %s cannot be answered with it",
                     fop->name, fop->name, self->request->fop->name);
        return;
    }
    wind = begin_wind(self, child, fop, passed);
    if (wind && !keep_arguments(self, wind))
        glupy_classic_undecide(self);
}

void
glupy_classic_wind_sound(struct glupy_classic_request *self, xlator_t *child, const struct glupy_fop *fop, const void *passed)
{
    if (may_decide(self, "wind_", fop->name))
        decide_wind(self, child, fop, passed);
}

void
glupy_classic_wind(call_frame_t *frame, xlator_t *child, const struct glupy_fop *fop, const void *passed)
{
    struct glupy_classic_request *self = undecided(frame, "wind_", fop->name);
    union glupy_any_args args;
    struct texts texts;

    if (!self)
        return;
    memcpy(&args, passed, fop->args_passed_size);
    if (read_texts(&texts, "wind_", fop, fop->args, fop->nargs, &args)) {
        decide_wind(self, child, fop, &args);
        free_texts(&texts);
    }
}

/* Unwinding. */

/* Is this the latest reply, as it was given to the callback? */
static bool
is_as_came(struct glupy_classic_request *self, int32_t op_ret, int32_t op_errno, const void *passed)
{
    const struct glupy_fop *fop = self->request->fop;

    if (!self->reply_given || self->reply->fop != fop || op_ret != self->reply->op_ret ||
        op_errno != self->reply->op_errno)
        return false;
    for (unsigned i = 0; i < fop->nreply; i++) {
        const struct glupy_field *field = &fop->reply[i];
        const void *value = glupy_passed(field, passed);

        if (is_number(field->kind)
                ? memcmp(value, glupy_passed(field, &self->reply_passed), field->kind->passed_size) != 0
                : !glupy_given_same(self->reply_given, i, value, &self->reply_passed))
            return false;
    }
    return true;
}

/* The latest reply had nothing there either, and what a child sends is passed on as it came. */
static bool
was_null(struct glupy_classic_request *self, const struct glupy_field *field)
{
    return self->reply && self->reply->fop == self->request->fop && !glupy_passed_pointer(field, &self->reply_passed);
}

/* A failure's values may all be None; a success has all but xdata. */
static bool
fits_nulls(struct glupy_classic_request *self, const struct glupy_fop *fop, bool success, const void *passed)
{
    for (unsigned i = 0; i < fop->nreply; i++) {
        const struct glupy_field *field = &fop->reply[i];
        bool nullable = !success || strcmp(field->name, "xdata") == 0 ||
                        (!is_number(field->kind) && field->kind != &glupy_kind_iatt && was_null(self, field));

        if (!fits_null("unwind_", fop, field, passed, nullable))
            return false;
    }
    return true;
}

static bool
fits_errno(struct glupy_classic_request *self, const struct glupy_fop *fop, int32_t op_errno)
{
    bool childs = self->reply && self->reply->op_errno == op_errno;

    if (op_errno >= (childs ? 0 : 1) && (op_errno <= LARGEST_ERRNO || childs))
        return true;
    PyErr_Format(PyExc_ValueError, "unwind_%s: op_errno is %d: an errno is between 1 and %d", fop->name, op_errno,
                 LARGEST_ERRNO);
    return false;
}

/* A success that tells of an inode, and of no gfid: fuse would go on with NULL. */
static bool
lacks_gfid(const struct glupy_fop *fop, const void *held)
{
    for (unsigned i = 0; i + 1u < fop->nreply; i++)
        if (fop->reply[i].kind == &glupy_kind_inode && fop->reply[i + 1].kind == &glupy_kind_iatt)
            return gf_uuid_is_null(((struct iatt *)glupy_held(&fop->reply[i + 1], held))->ia_gfid);
    return false;
}

static bool
hold_value(struct glupy_classic_request *self, const struct glupy_fop *fop, unsigned i, void *passed, void *held)
{
    const struct glupy_field *field = &fop->reply[i];
    const struct glupy_taking taking = {self, "unwind_", fop, field};
    void *value = glupy_passed(field, passed);

    if (!is_lent(self, field, value))
        return glupy_classic_take(&taking, value, glupy_held(field, held));
    if (field->kind->hold(glupy_held(field, held), value) == 0)
        return true;
    PyErr_NoMemory();
    return false;
}

/* Fill the answer. False with an exception, and nothing held. */
static bool
hold_values(struct glupy_classic_request *self, const struct glupy_fop *fop, bool success, void *passed, void *held)
{
    unsigned i = 0;

    while (i < fop->nreply && hold_value(self, fop, i, passed, held))
        i++;
    if (i == fop->nreply && success && lacks_gfid(fop, held))
        PyErr_Format(PyExc_ValueError, "unwind_%s: buf has no ia_gfid", fop->name);
    if (!PyErr_Occurred())
        return true;
    while (i > 0) {
        i--;
        fop->reply[i].kind->discard(glupy_held(&fop->reply[i], held));
    }
    return false;
}

static void
decide_unwind(struct glupy_classic_request *self, const struct glupy_fop *fop, int32_t op_ret, int32_t op_errno,
              void *passed)
{
    struct glupy_answer *answer = self->request->answer;

    self->as_came = is_as_came(self, op_ret, op_errno, passed);
    if (!self->as_came) {
        if (!fits_nulls(self, fop, op_ret >= 0, passed) || (op_ret < 0 && !fits_errno(self, fop, op_errno)) ||
            !hold_values(self, fop, op_ret >= 0, passed, &answer->held))
            return;
        answer->how = GLUPY_UNWIND;
        answer->op_ret = op_ret < 0 ? -1 : op_ret;
        answer->op_errno = op_errno;
    }
    self->decision = GLUPY_UNWOUND;
}

/* A fop is answered as what it is. False with TypeError. */
static bool
is_its_fop(struct glupy_classic_request *self, const struct glupy_fop *fop)
{
    if (fop == self->request->fop)
        return true;
    PyErr_Format(PyExc_TypeError, "unwind_%s: this frame is one of %s: dl.unwind_%s", fop->name, self->request->fop->name,
                 self->request->fop->name);
    return false;
}

void
glupy_classic_unwind_sound(struct glupy_classic_request *self, const struct glupy_fop *fop, int32_t op_ret, int32_t op_errno,
                           void *passed)
{
    if (may_decide(self, "unwind_", fop->name) && is_its_fop(self, fop))
        decide_unwind(self, fop, op_ret, op_errno, passed);
}

void
glupy_classic_unwind(call_frame_t *frame, const struct glupy_fop *fop, int32_t op_ret, int32_t op_errno,
                     const void *passed)
{
    struct glupy_classic_request *self = undecided(frame, "unwind_", fop->name);
    union glupy_any_reply values;
    struct texts texts;

    if (!self || !is_its_fop(self, fop))
        return;
    memcpy(&values, passed, fop->reply_passed_size);
    if (read_texts(&texts, "unwind_", fop, fop->reply, fop->nreply, &values)) {
        decide_unwind(self, fop, op_ret, op_errno, &values);
        free_texts(&texts);
    }
}

/* Who asks. */

long
glupy_classic_get_id(call_frame_t *frame)
{
    struct glupy_classic_request *self = live(frame, "get_id", "");

    return self ? self->id : 0;
}

uint64_t
glupy_classic_get_rootunique(call_frame_t *frame)
{
    return live(frame, "get_rootunique", "") ? frame->root->unique : 0;
}

static bool
is_stepping(struct glupy_classic_request *self)
{
    struct glupy_thread *thread = glupy_thread_if_any();

    return thread && thread->stepping == self->request;
}

/* The type of a frame parameter asks this before anything is called: is it the very object that the fop was given? An
 * address alone would not do, since the next request may have its frame where this one had it. A copy of the pointer is
 * let pass only while its request's own function runs. */
PyObject *
glupy_classic_frame_method(PyObject *module, PyObject *object)
{
    struct glupy_classic_state *state = ((struct glupy_state *)PyModule_GetState(module))->classic;
    struct glupy_classic_request *self;
    call_frame_t *frame;
    Py_buffer buffer;

    if (!state || Py_TYPE(object) != (PyTypeObject *)state->types[GLUPY_CLASSIC_FRAME])
        return PyErr_Format(PyExc_TypeError, "expected the frame that the fop was given, not %s",
                            object == Py_None ? "None" : Py_TYPE(object)->tp_name);
    if (PyObject_GetBuffer(object, &buffer, PyBUF_SIMPLE) != 0)
        return NULL;
    memcpy(&frame, buffer.buf, sizeof(frame));
    PyBuffer_Release(&buffer);
    if (!frame) {
        PyErr_SetString(PyExc_ReferenceError, "this frame's request has ended");
        return NULL;
    }
    self = glupy_classic_find(state, frame);
    if (!self || (self->frame.object != object && !is_stepping(self))) {
        PyErr_SetString(PyExc_ReferenceError,
                        "this is a copy of a frame whose request has ended: pass the frame that the fop was given");
        return NULL;
    }
    return Py_NewRef(object);
}
