/* What a classic script decides by dl.wind_X and dl.unwind_X: checked here, carried out by classic.c and answer.c.
 *
 * ctypes has seen to it that every pointer is of the right type, or NULL. What GlusterFS's translators would follow
 * without looking is refused here: a NULL, a structure that the script made and left empty. Attached throughout: ctypes
 * calls these as it calls functions of Python's own C API. */
#include "classic.h"

#include "answer.h"
#include "compat.h"
#include "wind.h"

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

static struct glupy_classic_request *
undecided(call_frame_t *frame, const char *what, const char *fop)
{
    struct glupy_classic_request *self = live(frame, what, fop);

    if (!self)
        return NULL;
    if (!self->calling) {
        PyErr_Format(PyExc_RuntimeError, "%s%s: this %s is wound: its callback will be called with the reply", what, fop,
                     self->request->fop->name);
        return NULL;
    }
    if (self->decision != GLUPY_UNDECIDED) {
        refuse_second(self, what, fop);
        return NULL;
    }
    return self;
}

/* Pointers. */

static bool
is_number(const struct glupy_kind *kind)
{
    return kind == &glupy_kind_int32 || kind == &glupy_kind_uint32 || kind == &glupy_kind_int64 ||
           kind == &glupy_kind_uint64 || kind == &glupy_kind_opaque;
}

static void *
pointer_in(const struct glupy_field *field, const void *passed)
{
    return *(void **)glupy_passed(field, passed);
}

static bool
is_loose(const struct list_head *head)
{
    return !head->next || !head->prev;
}

/* Why a structure cannot be what GlusterFS made, or NULL: one that a script made and did not fill in. */
static const char *
flaw(const struct glupy_field *field, void *pointer)
{
    if (field->kind == &glupy_kind_dict && GF_ATOMIC_GET(((dict_t *)pointer)->refcount) == 0)
        return "is no dict of GlusterFS's: dict_new() of libglusterfs makes one";
    if (field->kind == &glupy_kind_inode && !((inode_t *)pointer)->table)
        return "is no inode of GlusterFS's";
    if (field->kind == &glupy_kind_fd && !((fd_t *)pointer)->inode)
        return "has no inode: fd_create() of libglusterfs makes a fd";
    if (field->kind == &glupy_kind_loc && !field->inodeless && !((loc_t *)pointer)->inode)
        return "has no inode";
    if (field->kind == &glupy_kind_loc && ((loc_t *)pointer)->inode && !((loc_t *)pointer)->inode->table)
        return "has an inode that is none of GlusterFS's";
    if (field->kind == &glupy_kind_dirents && is_loose(&((gf_dirent_t *)pointer)->list))
        return "has a list that was not set up: next and prev have to point to itself";
    if (field->kind == &glupy_kind_locklist && is_loose(&((lock_migration_info_t *)pointer)->list))
        return "has a list that was not set up: next and prev have to point to itself";
    return NULL;
}

/* May translators follow this value? False with TypeError or ValueError. */
static bool
fits(const char *what, const struct glupy_fop *fop, const struct glupy_field *field, const void *passed, bool nullable)
{
    void *pointer;
    const char *reason;

    if (is_number(field->kind) || field->kind == &glupy_kind_checksum)
        return true;
    pointer = pointer_in(field, passed);
    if (field->kind == &glupy_kind_payload) {
        const struct glupy_payload *payload = glupy_passed(field, passed);

        if (payload->count < 0 || (payload->count > 0 && !pointer))
            PyErr_Format(PyExc_TypeError, "%s%s: %s is None, count is %d", what, fop->name, field->name, payload->count);
        return payload->count == 0 || (payload->count > 0 && pointer);
    }
    if (!pointer) {
        if (!nullable)
            PyErr_Format(PyExc_TypeError, "%s%s: %s is None", what, fop->name, field->name);
        return nullable;
    }
    reason = flaw(field, pointer);
    if (reason)
        PyErr_Format(PyExc_ValueError, "%s%s: %s %s", what, fop->name, field->name, reason);
    return !reason;
}

/* Winding. */

/* A pointer in `fields` of `passed` that is the same, or a string that reads the same; NULL: there is none. */
static void *
same_in(const struct glupy_field *fields, unsigned n, const void *passed, const struct glupy_kind *kind, void *pointer)
{
    for (unsigned i = 0; i < n; i++) {
        void *theirs = is_number(fields[i].kind) ? NULL : pointer_in(&fields[i], passed);

        if (theirs && fields[i].kind == kind &&
            (theirs == pointer || (kind == &glupy_kind_string && strcmp(theirs, pointer) == 0)))
            return theirs;
    }
    return NULL;
}

static bool
same_payload(const struct glupy_field *fields, unsigned n, const void *passed, const struct glupy_payload *payload)
{
    for (unsigned i = 0; i < n; i++)
        if (fields[i].kind == &glupy_kind_payload) {
            const struct glupy_payload *theirs = glupy_passed(&fields[i], passed);

            return theirs->vector == payload->vector && theirs->count == payload->count &&
                   theirs->iobref == payload->iobref;
        }
    return false;
}

/* Does the value live as long as the wind does: a number, or in memory of this request's? */
static bool
is_lent(struct glupy_classic_request *self, const struct glupy_field *field, void *value)
{
    const struct glupy_fop *fop = self->request->fop, *replied = self->reply ? self->reply->fop : NULL;
    void *found;

    if (is_number(field->kind))
        return true;
    if (field->kind == &glupy_kind_payload)
        return same_payload(fop->args, fop->nargs, &self->args, value) ||
               (replied && same_payload(replied->reply, replied->nreply, &self->reply_passed, value));
    if (!*(void **)value)
        return true;
    found = same_in(fop->args, fop->nargs, &self->args, field->kind, *(void **)value);
    if (!found && replied)
        found = same_in(replied->reply, replied->nreply, &self->reply_passed, field->kind, *(void **)value);
    if (found)
        *(void **)value = found;
    return found != NULL;
}

/* Copy what would not live long enough. -1 without memory. */
static int
keep_arguments(struct glupy_classic_request *self, struct glupy_wind *wind)
{
    self->lent = true;
    self->held_fop = wind->fop;
    for (unsigned i = 0; i < wind->fop->nargs; i++) {
        const struct glupy_field *field = &wind->fop->args[i];
        void *value = glupy_passed(field, &wind->passed);

        if (is_lent(self, field, value))
            continue;
        self->lent = false;
        if (!self->held)
            self->held = calloc(1, wind->fop->args_held_size);
        if (!self->held || field->kind->hold(glupy_held(field, self->held), value) != 0) {
            PyErr_NoMemory();
            return -1;
        }
        self->held_fields |= 1u << i;
        field->kind->lend(glupy_held(field, self->held), value);
    }
    return 0;
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

bool
glupy_classic_decide_wind(struct glupy_classic_request *self, xlator_t *child, const struct glupy_fop *fop,
                          const void *passed)
{
    struct glupy_instance *instance = self->request->instance;
    PyObject *object = child_of(instance, child, fop->name);
    struct glupy_wind *wind;

    if (!object)
        return false;
    if (fop != self->request->fop && !instance->classic->callbacks[fop - glupy_fops]) {
        PyErr_Format(PyExc_RuntimeError, "wind_%s: there is no %s_cbk to take its reply, and %s cannot be answered with it",
                     fop->name, fop->name, self->request->fop->name);
        return false;
    }
    wind = glupy_wind_new(instance->state, fop, object);
    if (!wind)
        return false;
    wind->base.ops = &glupy_classic_wind_ops;
    memcpy(&wind->passed, passed, fop->args_passed_size);
    wind->reply = glupy_reply_new(instance->state, instance, fop);
    self->wind = wind;
    self->decision = GLUPY_WOUND;
    if (wind->reply && keep_arguments(self, wind) == 0)
        return true;
    glupy_classic_undecide(self);
    return false;
}

void
glupy_classic_wind(call_frame_t *frame, xlator_t *child, const struct glupy_fop *fop, const void *passed)
{
    struct glupy_classic_request *self = undecided(frame, "wind_", fop->name);

    for (unsigned i = 0; self && i < fop->nargs; i++)
        if (!fits("wind_", fop, &fop->args[i], passed, fop->args[i].nullable))
            return;
    if (self)
        (void)glupy_classic_decide_wind(self, child, fop, passed);
}

/* Unwinding. */

static bool
same_number(const struct glupy_field *field, const void *a, const void *b)
{
    return memcmp(glupy_passed(field, a), glupy_passed(field, b), field->kind->passed_size) == 0;
}

/* Is this the latest reply, as it was given to the callback? */
static bool
is_as_came(struct glupy_classic_request *self, int32_t op_ret, int32_t op_errno, const void *passed)
{
    const struct glupy_fop *fop = self->request->fop;

    if (!self->reply || self->reply->fop != fop || op_ret != self->reply->op_ret || op_errno != self->reply->op_errno)
        return false;
    for (unsigned i = 0; i < fop->nreply; i++) {
        const struct glupy_field *field = &fop->reply[i];
        bool same;

        if (field->kind == &glupy_kind_payload)
            same = same_payload(fop->reply, fop->nreply, &self->reply_passed, glupy_passed(field, passed));
        else if (field->kind == &glupy_kind_string)
            same = pointer_in(field, passed) && pointer_in(field, &self->reply_passed) &&
                   strcmp(pointer_in(field, passed), pointer_in(field, &self->reply_passed)) == 0;
        else
            same = same_number(field, passed, &self->reply_passed);
        if (!same)
            return false;
    }
    return true;
}

/* The latest reply had nothing there either, and what a child sends is passed on as it came. */
static bool
was_null(struct glupy_classic_request *self, const struct glupy_field *field)
{
    return self->reply && self->reply->fop == self->request->fop && !pointer_in(field, &self->reply_passed);
}

/* A success that tells of an inode, and of no gfid: fuse would go on with NULL. */
static bool
lacks_gfid(const struct glupy_fop *fop, const void *passed)
{
    for (unsigned i = 0; i + 1u < fop->nreply; i++)
        if (fop->reply[i].kind == &glupy_kind_inode && fop->reply[i + 1].kind == &glupy_kind_iatt)
            return gf_uuid_is_null(((struct iatt *)pointer_in(&fop->reply[i + 1], passed))->ia_gfid);
    return false;
}

static bool
fits_success(struct glupy_classic_request *self, const struct glupy_fop *fop, const void *passed)
{
    for (unsigned i = 0; i < fop->nreply; i++) {
        const struct glupy_field *field = &fop->reply[i];
        bool nullable = strcmp(field->name, "xdata") == 0 ||
                        (!is_number(field->kind) && field->kind != &glupy_kind_iatt && was_null(self, field));

        if (!fits("unwind_", fop, field, passed, nullable))
            return false;
    }
    if (lacks_gfid(fop, passed)) {
        PyErr_Format(PyExc_ValueError, "unwind_%s: buf has no ia_gfid", fop->name);
        return false;
    }
    return true;
}

/* A failure's values may all be None; those that are not have to be sound. */
static bool
fits_failure(struct glupy_classic_request *self, const struct glupy_fop *fop, int32_t op_errno, const void *passed)
{
    bool childs = self->reply && self->reply->op_errno == op_errno;

    if (op_errno < (childs ? 0 : 1) || (op_errno > LARGEST_ERRNO && !childs)) {
        PyErr_Format(PyExc_ValueError, "unwind_%s: op_errno is %d: an errno is between 1 and %d", fop->name, op_errno,
                     LARGEST_ERRNO);
        return false;
    }
    for (unsigned i = 0; i < fop->nreply; i++)
        if (!fits("unwind_", fop, &fop->reply[i], passed, true))
            return false;
    return true;
}

void
glupy_classic_unwind(call_frame_t *frame, const struct glupy_fop *fop, int32_t op_ret, int32_t op_errno,
                     const void *passed)
{
    struct glupy_classic_request *self = undecided(frame, "unwind_", fop->name);
    struct glupy_answer *answer;

    if (!self)
        return;
    if (fop != self->request->fop) {
        PyErr_Format(PyExc_TypeError, "unwind_%s: this frame is one of %s: dl.unwind_%s", fop->name,
                     self->request->fop->name, self->request->fop->name);
        return;
    }
    self->as_came = is_as_came(self, op_ret, op_errno, passed);
    if (self->as_came) {
        self->decision = GLUPY_UNWOUND;
        return;
    }
    if (!(op_ret >= 0 ? fits_success(self, fop, passed) : fits_failure(self, fop, op_errno, passed)))
        return;
    answer = self->request->answer;
    if (glupy_fields_hold(fop->reply, fop->nreply, &answer->held, passed) != 0) {
        PyErr_NoMemory();
        return;
    }
    answer->how = GLUPY_UNWIND;
    answer->op_ret = op_ret < 0 ? -1 : op_ret;
    answer->op_errno = op_errno;
    self->decision = GLUPY_UNWOUND;
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
