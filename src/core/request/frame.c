/* Frame: who asks for the operation (call_frame_t and its call_stack_t), and acting as somebody else. */
#include "request/frame.h"

#include "request/request.h"
#include "values/types/structs.h"
#include "values/types/types.h"

PyObject *
glupy_frame_new(struct glupy_state *state, struct glupy_request *request)
{
    struct glupy_frame *self = (struct glupy_frame *)glupy_spares_take(&state->frame_spares, state->frame_type);

    if (self)
        self->request = request;
    return (PyObject *)self;
}

static call_stack_t *
stack_of(PyObject *object)
{
    struct glupy_frame *self = (struct glupy_frame *)object;

    if (self->request)
        return self->request->frame->root;
    PyErr_SetString(PyExc_ReferenceError,
                    "the request of this frame has been answered; take what you need from the frame before that");
    return NULL;
}

static PyObject *
get_uid(PyObject *self, void *unused)
{
    call_stack_t *root = stack_of(self);

    (void)unused;
    return root ? PyLong_FromUnsignedLong(root->uid) : NULL;
}

static PyObject *
get_gid(PyObject *self, void *unused)
{
    call_stack_t *root = stack_of(self);

    (void)unused;
    return root ? PyLong_FromUnsignedLong(root->gid) : NULL;
}

static PyObject *
get_pid(PyObject *self, void *unused)
{
    call_stack_t *root = stack_of(self);

    (void)unused;
    return root ? PyLong_FromLong(root->pid) : NULL;
}

static PyObject *
tuple_of_groups(const gid_t *gids, unsigned count)
{
    PyObject *groups = PyTuple_New(count);

    for (unsigned i = 0; groups && i < count; i++) {
        PyObject *gid = PyLong_FromUnsignedLong(gids[i]);

        if (!gid)
            Py_CLEAR(groups);
        else
            PyTuple_SET_ITEM(groups, i, gid);
    }
    return groups;
}

/* Copied first: making a tuple may start a garbage collection, and so run code that lets another thread answer the request. */
static PyObject *
get_groups(PyObject *self, void *unused)
{
    call_stack_t *root = stack_of(self);
    unsigned count = root ? root->ngrps : 0;
    PyObject *groups;
    gid_t *gids;

    (void)unused;
    if (!root)
        return NULL;
    gids = PyMem_New(gid_t, count ? count : 1);
    if (!gids)
        return PyErr_NoMemory();
    if (count)
        memcpy(gids, root->groups, count * sizeof(*gids));
    groups = tuple_of_groups(gids, count);
    PyMem_Free(gids);
    return groups;
}

static PyObject *
get_unique(PyObject *self, void *unused)
{
    call_stack_t *root = stack_of(self);

    (void)unused;
    return root ? PyLong_FromUnsignedLongLong(root->unique) : NULL;
}

static PyObject *
get_lk_owner(PyObject *self, void *unused)
{
    call_stack_t *root = stack_of(self);

    (void)unused;
    return root ? glupy_lk_owner_new(glupy_state_of(self), &root->lk_owner) : NULL;
}

PyObject *
glupy_client_new(struct glupy_state *state, const char *uid)
{
    PyObject *text = glupy_text(uid);
    PyObject *client = text ? PyObject_CallMethod(state->runtime, "Client", "O", text) : NULL;

    Py_XDECREF(text);
    return client;
}

static PyObject *
get_client(PyObject *self, void *unused)
{
    call_stack_t *root = stack_of(self);

    (void)unused;
    if (!root)
        return NULL;
    if (!root->client)
        Py_RETURN_NONE;
    return glupy_client_new(glupy_state_of(self), root->client->client_uid);
}

static PyObject *
get_op(PyObject *object, void *unused)
{
    struct glupy_frame *self = (struct glupy_frame *)object;

    (void)unused;
    if (!stack_of(object))
        return NULL;
    if (!self->request->fop)
        Py_RETURN_NONE;
    return PyUnicode_FromString(self->request->fop->name);
}

static struct glupy_identity *
identity_new(PyObject *frame, uid_t uid, gid_t gid, unsigned ngroups)
{
    struct glupy_state *state = glupy_state_of(frame);
    struct glupy_identity *self = PyObject_New(struct glupy_identity, state->identity_type);

    if (!self)
        return NULL;
    self->frame = (struct glupy_frame *)Py_NewRef(frame);
    self->uid = uid;
    self->gid = gid;
    self->ngroups = ngroups;
    self->outer = NULL;
    self->entered = false;
    self->groups = PyMem_Calloc(ngroups ? ngroups : 1, sizeof(gid_t));
    if (self->groups)
        return self;
    Py_DECREF(self);
    PyErr_NoMemory();
    return NULL;
}

PyDoc_STRVAR(as_root_doc, "as_root($self, /)\n--\n\n"
                          "Context manager: winds begun inside act as uid 0, gid 0 without further groups (on a copy of the frame; the\n"
                          "other layers of the request keep its own identity).");

static PyObject *
frame_as_root(PyObject *self, PyObject *unused)
{
    (void)unused;
    return stack_of(self) ? (PyObject *)identity_new(self, 0, 0, 0) : NULL;
}

/* A user or group id, for PyArg_Parse's "O&": no other number may come out as one, least of all as root's. */
static int
read_id(PyObject *value, void *id)
{
    unsigned long long number;

    if (glupy_record_unsigned(value, UINT32_MAX, &number) != 0)
        return 0;
    *(uint32_t *)id = (uint32_t)number;
    return 1;
}

static int
read_groups(struct glupy_identity *self, PyObject *groups)
{
    for (unsigned i = 0; i < self->ngroups; i++)
        if (!read_id(PyTuple_GET_ITEM(groups, i), &self->groups[i]))
            return -1;
    return 0;
}

PyDoc_STRVAR(as_user_doc, "as_user($self, /, uid, gid, groups=())\n--\n\n"
                          "Context manager: winds begun inside act as this user. Raises ValueError for more groups than GlusterFS carries\n"
                          "(GF_MAX_AUX_GROUPS).");

static PyObject *
frame_as_user(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"uid", "gid", "groups", NULL};
    struct glupy_identity *identity = NULL;
    PyObject *groups = NULL;
    uint32_t uid, gid;

    if (!stack_of(self) ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "O&O&|O:as_user", names, read_id, &uid, read_id, &gid, &groups))
        return NULL;
    groups = groups ? PySequence_Tuple(groups) : PyTuple_New(0);
    if (!groups)
        return NULL;
    if (PyTuple_GET_SIZE(groups) > GF_MAX_AUX_GROUPS)
        PyErr_Format(PyExc_ValueError, "groups: at most %d", GF_MAX_AUX_GROUPS);
    else
        identity = identity_new(self, uid, gid, (unsigned)PyTuple_GET_SIZE(groups));
    if (identity && read_groups(identity, groups) != 0)
        Py_CLEAR(identity);
    Py_DECREF(groups);
    return (PyObject *)identity;
}

static void
frame_dealloc(PyObject *object)
{
    glupy_spares_give(&glupy_state_of(object)->frame_spares, object);
}

static PyObject *
frame_repr(PyObject *object)
{
    struct glupy_frame *self = (struct glupy_frame *)object;

    if (!self->request)
        return PyUnicode_FromString("<Frame, answered>");
    return PyUnicode_FromFormat("<Frame of %s, unique %llu, uid %u, pid %d>",
                                self->request->fop ? self->request->fop->name : "a background task",
                                (unsigned long long)self->request->frame->root->unique, self->request->frame->root->uid,
                                (int)self->request->frame->root->pid);
}

static PyObject *
get_actor(PyObject *self, void *unused)
{
    call_stack_t *root = stack_of(self);
    struct glupy_request *request = ((struct glupy_frame *)self)->request;

    (void)unused;
    return root ? PyObject_CallMethod(glupy_state_of(self)->runtime, "actor", "OiO", request->instance->translator,
                                      (int)root->pid, root->client ? Py_True : Py_False)
                : NULL;
}

static PyMethodDef frame_methods[] = {
    {"as_root", frame_as_root, METH_NOARGS, as_root_doc},
    {"as_user", _PyCFunction_CAST(frame_as_user), METH_VARARGS | METH_KEYWORDS, as_user_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef frame_getset[] = {
    {"uid", get_uid, NULL, "User id of the caller (call_stack_t.uid).", NULL},
    {"gid", get_gid, NULL, "Group id of the caller.", NULL},
    {"groups", get_groups, NULL, "Further groups of the caller: a tuple of int.", NULL},
    {"pid", get_pid, NULL, "Process id of the caller; negative for GlusterFS's own (GF_CLIENT_PID_…).", NULL},
    {"actor", get_actor, NULL,
     "str: on whose behalf it is, as far as GlusterFS says. 'user': an application, or whoever acts for one; 'self-heal';\n"
     "'rebalance'; 'bit-rot'; 'geo-replication'; 'quota'; 'brick': another layer of the brick, for no client's sake;\n"
     "'glusterfs': anything else of GlusterFS's own, DHT as root among it. By the pid (GF_CLIENT_PID_... in common-utils.h)\n"
     "and the client, which a client says of itself.", NULL},
    {"lk_owner", get_lk_owner, NULL, "Lock owner: LkOwner.", NULL},
    {"unique", get_unique, NULL, "GlusterFS's number of the call.", NULL},
    {"client", get_client, NULL, "On a brick: the Client that asks (client_t.client_uid); None elsewhere.", NULL},
    {"op", get_op, NULL, "Name of the fop; None in a background task.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot frame_slots[] = {
    {Py_tp_doc, "Who asks for the operation (call_frame_t, call_stack_t in stack.h). Usable until the request is answered;\n"
                "ReferenceError afterwards."},
    {Py_tp_dealloc, frame_dealloc},
    {Py_tp_repr, frame_repr},
    {Py_tp_methods, frame_methods},
    {Py_tp_getset, frame_getset},
    {0, NULL},
};

static PyType_Spec frame_spec = {
    .name = "glupy._core.Frame",
    .basicsize = sizeof(struct glupy_frame),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = frame_slots,
};

/* Identity */

/* Who a request acts as is the business of its own coroutines. */
static bool
is_running(struct glupy_frame *frame)
{
    struct glupy_thread *thread = glupy_thread_if_any();

    if (!stack_of((PyObject *)frame))
        return false;
    if (thread && thread->stepping == frame->request)
        return true;
    PyErr_SetString(PyExc_RuntimeError, "as_root() and as_user() work in the fop that the frame belongs to, not elsewhere");
    return false;
}

static PyObject *
identity_enter(PyObject *object, PyObject *unused)
{
    struct glupy_identity *self = (struct glupy_identity *)object;

    (void)unused;
    if (!is_running(self->frame))
        return NULL;
    if (self->entered) {
        PyErr_SetString(PyExc_RuntimeError, "this identity is in force already; ask the frame for another");
        return NULL;
    }
    self->outer = self->frame->request->identity; /* the request's reference becomes ours */
    self->frame->request->identity = (struct glupy_identity *)Py_NewRef(object);
    self->entered = true;
    return Py_NewRef(object);
}

static PyObject *
identity_exit(PyObject *object, PyObject *unused)
{
    struct glupy_identity *self = (struct glupy_identity *)object;

    struct glupy_identity **at;

    (void)unused;
    if (self->entered && self->frame->request) {
        for (at = &self->frame->request->identity; *at && *at != self; at = &(*at)->outer)
            ;
        if (*at) {
            *at = self->outer;
            self->outer = NULL;
            Py_DECREF(object);
        }
    }
    self->entered = false;
    Py_RETURN_FALSE;
}

/* One after another, not each from within the end of the one before. */
static void
drop_outer(struct glupy_identity *outer)
{
    while (outer && glupy_sole_reference((PyObject *)outer)) {
        struct glupy_identity *next = outer->outer;

        outer->outer = NULL;
        Py_DECREF(outer);
        outer = next;
    }
    Py_XDECREF(outer);
}

static void
identity_dealloc(PyObject *object)
{
    struct glupy_identity *self = (struct glupy_identity *)object;
    PyTypeObject *type = Py_TYPE(object);

    Py_XDECREF(self->frame);
    drop_outer(self->outer);
    PyMem_Free(self->groups);
    PyObject_Free(object);
    Py_DECREF(type);
}

call_frame_t *
glupy_frame_copy(call_frame_t *frame, const struct glupy_identity *identity)
{
    call_frame_t *copy = copy_frame(frame);

    if (!copy)
        return NULL;
    copy->root->client = frame->root->client; /* copy_frame() leaves it out; features/locks on a brick needs it */
    if (!identity)
        return copy;
    copy->root->uid = identity->uid;
    copy->root->gid = identity->gid;
    if (call_stack_alloc_groups(copy->root, (int)identity->ngroups) != 0) {
        STACK_DESTROY(copy->root);
        return NULL;
    }
    for (unsigned i = 0; i < identity->ngroups; i++)
        copy->root->groups[i] = identity->groups[i];
    return copy;
}

static PyMethodDef identity_methods[] = {
    {"__enter__", identity_enter, METH_NOARGS, NULL},
    {"__exit__", identity_exit, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot identity_slots[] = {
    {Py_tp_doc, "What frame.as_root() and frame.as_user() give: use it in a with statement."},
    {Py_tp_dealloc, identity_dealloc},
    {Py_tp_methods, identity_methods},
    {0, NULL},
};

static PyType_Spec identity_spec = {
    .name = "glupy._core.Identity",
    .basicsize = sizeof(struct glupy_identity),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = identity_slots,
};

int
glupy_frame_setup(struct glupy_state *state)
{
    if (glupy_add_type(state, &frame_spec, &state->frame_type) != 0)
        return -1;
    return glupy_add_type(state, &identity_spec, &state->identity_type);
}
