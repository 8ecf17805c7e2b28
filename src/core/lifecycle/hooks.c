/* Inodes and fds that end, clients that go. See hooks.h. */
#include "lifecycle/hooks.h"

#include "instance/looking.h"
#include "instance/replicas.h"
#include "lifecycle/graph_end.h"
#include "observe/log.h"
#include "python/place.h"
#include "request/frame.h"
#include "request/request.h"
#include "values/types/inode.h"

/* Of all instances' queues, and of xlator_t::private where the callbacks read it. Held for a few instructions. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

/* So many are dealt with in one stay inside the interpreter, for others to have their turn. */
#define AT_ONCE 256

const char *const glupy_hook_names[GLUPY_HOOK_COUNT] = {"forget", "release", "releasedir", "client_disconnect",
                                                        "client_destroy"};

/* The worker's side */

static struct glupy_context *
pop(struct glupy_hooks *hooks)
{
    struct glupy_context *context;

    pthread_mutex_lock(&gate);
    context = hooks->first;
    if (context && !(hooks->first = context->next))
        hooks->last = &hooks->first;
    pthread_mutex_unlock(&gate);
    return context;
}

/* Is there anything to tell? Not of fds whose inode could not be kept for it. */
static bool
is_told(struct glupy_instance *self, struct glupy_context *context)
{
    bool is_fd = context->hook == GLUPY_HOOK_RELEASE || context->hook == GLUPY_HOOK_RELEASEDIR;

    return self->hooks.methods[context->hook] && !self->hooks.ended && (context->gone.ctx || context->client) &&
           (!is_fd || context->gone.inode);
}

/* What the hook is called with. It takes the context over, but for a client's. */
static PyObject *
argument(struct glupy_instance *self, struct glupy_context *context)
{
    PyObject *client;

    if (context->hook == GLUPY_HOOK_FORGET)
        return glupy_inode_forgotten(self->state, self, &context->gone);
    if (context->hook == GLUPY_HOOK_RELEASE || context->hook == GLUPY_HOOK_RELEASEDIR)
        return glupy_fd_released(self->state, self, &context->gone);
    client = glupy_client_new(self->state, context->client);
    glupy_context_free(context);
    return client;
}

/* A hook that is a coroutine goes on as a background task, unless the graph is going. */
static void
go_on(struct glupy_instance *self, PyObject *coroutine)
{
    PyObject *result = self->tasks.going ? PyObject_CallMethod(coroutine, "close", NULL)
                                   : PyObject_CallMethod((PyObject *)self, "spawn", "O", coroutine);

    Py_XDECREF(result);
}

static void
call_hook(struct glupy_instance *self, struct glupy_context *context)
{
    enum glupy_hook hook = context->hook;
    PyObject *method = Py_NewRef(self->hooks.methods[hook]); /* the instance may end while a hook hangs */
    PyObject *given = argument(self, context), *result = NULL;

    if (given)
        result = PyObject_CallOneArg(method, given);
    if (result && PyCoro_CheckExact(result))
        go_on(self, result);
    if (PyErr_Occurred())
        glupy_log_exception_doing(self, glupy_hook_names[hook]);
    Py_XDECREF(result);
    Py_XDECREF(given);
    Py_DECREF(method);
}

static void
let_go_of_some(struct glupy_thread *thread, void *arg)
{
    struct glupy_instance *self = arg;
    struct glupy_context *context;

    (void)thread;
    for (unsigned i = 0; i < AT_ONCE && (context = pop(&self->hooks)); i++) {
        list_del_init(&context->link);
        if (is_told(self, context))
            call_hook(self, context);
        else
            glupy_context_free(context);
    }
}

/* Outside the interpreter, so that whoever waits for it can count on all references having been released. */
static bool
is_empty(struct glupy_hooks *hooks)
{
    bool empty;

    pthread_mutex_lock(&gate);
    empty = !hooks->first;
    if (empty) {
        hooks->busy = false;
        pthread_cond_broadcast(&hooks->calm);
    }
    pthread_mutex_unlock(&gate);
    return empty;
}

static void
empty_queue(struct glupy_job *job)
{
    struct glupy_instance *self = (void *)((char *)job - offsetof(struct glupy_instance, hooks.job));
    struct glupy_thread *thread;
    enum glupy_place place = glupy_place(&thread);
    xlator_t *old_this = THIS;

    if (place == GLUPY_WORKER)
        return; /* Python is being finalised by its program */
    THIS = self->this;
    do
        glupy_call_python(thread, place, self->state->interpreter, GLUPY_SHORT, let_go_of_some, self);
    while (!is_empty(&self->hooks));
    THIS = old_this;
}

/* GlusterFS's side: not attached, on any stack, under any lock */

/* The instance, which stays until end() is called; NULL when it has ended, or the xlator_t never had one. */
static struct glupy_instance *
begin(xlator_t *this)
{
    struct glupy_instance *self;

    pthread_mutex_lock(&gate);
    self = this->private;
    if (self)
        self->hooks.inside++;
    pthread_mutex_unlock(&gate);
    return self;
}

static void
end(struct glupy_instance *self)
{
    pthread_mutex_lock(&gate);
    if (--self->hooks.inside == 0)
        pthread_cond_broadcast(&self->hooks.calm);
    pthread_mutex_unlock(&gate);
}

/* Between begin() and end(): what has left its slot is for the worker of its own interpreter. */
static void
push(struct glupy_context *context)
{
    struct glupy_hooks *hooks = &context->instance->hooks;
    bool start;

    pthread_mutex_lock(&gate);
    context->next = NULL;
    *hooks->last = context;
    hooks->last = &context->next;
    start = !hooks->busy;
    hooks->busy = true;
    pthread_mutex_unlock(&gate);
    if (start) {
        hooks->job.run = empty_queue;
        glupy_worker_submit(&hooks->job);
    }
}

/* The next of a chain that has left its slot, now by itself. */
static struct glupy_context *
next_of(struct glupy_context **chain)
{
    struct glupy_context *context = *chain;

    if (context) {
        *chain = context->other;
        context->other = NULL;
    }
    return context;
}

/* An inode that never came into the table, since that had another one with its gfid: the context is that one's. */
static bool
hand_over(inode_t *inode, struct glupy_context *context)
{
    inode_t *other;
    bool settled;

    if (!context->gone.ctx || !gf_uuid_is_null(inode->gfid) || gf_uuid_is_null(context->gone.gfid) ||
        inode->table->cleanup_started)
        return false;
    other = inode_find(inode->table, context->gone.gfid);
    if (!other)
        return false;
    gf_uuid_clear(context->gone.gfid);
    settled = glupy_context_settle(other, context);
    inode_unref(other);
    return settled;
}

static int32_t
forget(xlator_t *this, inode_t *inode)
{
    struct glupy_instance *self = begin(this);
    struct glupy_context *chain, *context;

    if (!self)
        return 0;
    chain = glupy_context_take_inode(self, inode);
    while ((context = next_of(&chain))) {
        if (hand_over(inode, context))
            continue;
        context->hook = GLUPY_HOOK_FORGET;
        gf_uuid_copy(context->gone.gfid, inode->gfid);
        context->gone.ia_type = inode->ia_type;
        push(context);
    }
    end(self);
    return 0;
}

/* The top of the graph found that the table has another inode for what it was about to link. */
static void
ictxmerge(xlator_t *this, fd_t *fd, inode_t *inode, inode_t *linked_inode)
{
    struct glupy_instance *self = begin(this);
    struct glupy_context *chain, *context;

    (void)fd;
    if (!self)
        return;
    chain = glupy_context_take_inode(self, inode);
    while ((context = next_of(&chain))) {
        if ((context->gone.ctx && glupy_context_settle(linked_inode, context)) || glupy_context_settle(inode, context))
            continue;
        context->hook = GLUPY_HOOK_FORGET;
        push(context);
    }
    end(self);
}

/* A hook may look at the inode, which lives while the fd does: unless the table is about to go with all its inodes. */
static int32_t
release_any(xlator_t *this, fd_t *fd, enum glupy_hook hook)
{
    struct glupy_instance *self = begin(this);
    struct glupy_context *chain, *context;

    if (!self)
        return 0;
    chain = glupy_context_take_fd(self, fd);
    while ((context = next_of(&chain))) {
        context->hook = hook;
        gf_uuid_copy(context->gone.gfid, fd->inode->gfid);
        context->gone.ia_type = fd->inode->ia_type;
        context->gone.pid = fd->pid;
        context->gone.flags = fd->flags;
        context->gone.anonymous = fd->anonymous;
        if (!atomic_load(&self->hooks.settled))
            context->gone.inode = inode_ref(fd->inode);
        push(context);
    }
    end(self);
    return 0;
}

static int32_t
release(xlator_t *this, fd_t *fd)
{
    return release_any(this, fd, GLUPY_HOOK_RELEASE);
}

static int32_t
releasedir(xlator_t *this, fd_t *fd)
{
    return release_any(this, fd, GLUPY_HOOK_RELEASEDIR);
}

/* A client_t is gone when the hook runs: it gets the name. Without memory it does not hear. */
static void
note_client(struct glupy_instance *replica, client_t *client, enum glupy_hook hook)
{
    struct glupy_context *context = calloc(1, sizeof(*context));
    const char *name = client->client_uid; /* a pointer in GlusterFS 10, an array in 11 */

    if (!context)
        return;
    INIT_LIST_HEAD(&context->link);
    context->instance = replica;
    context->hook = hook;
    context->client = strdup(name ? name : "");
    push(context);
}

static int32_t
client_goes(xlator_t *this, client_t *client, enum glupy_hook hook)
{
    struct glupy_instance *self = begin(this), *replica;

    if (!self)
        return 0;
    glupy_for_each_replica(replica, self)
        if (replica->hooks.methods[hook])
            note_client(replica, client, hook);
    end(self);
    return 0;
}

static int32_t
client_disconnect(xlator_t *this, client_t *client)
{
    return client_goes(this, client, GLUPY_HOOK_CLIENT_DISCONNECT);
}

static int32_t
client_destroy(xlator_t *this, client_t *client)
{
    return client_goes(this, client, GLUPY_HOOK_CLIENT_DESTROY);
}

struct xlator_cbks glupy_cbks = {
    .forget = forget,
    .release = release,
    .releasedir = releasedir,
    .ictxmerge = ictxmerge,
    .client_disconnect = client_disconnect,
    .client_destroy = client_destroy,
};

/* An instance's end */

/* With the gate held. First the primary, which counts who is inside: nobody pushes any more then. */
static bool
wait_until_calm(struct glupy_instance *self, unsigned seconds)
{
    struct glupy_instance *replica;
    struct timespec until;
    int error = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    glupy_for_each_replica(replica, self)
        while ((replica->hooks.busy || replica->hooks.inside) && !error)
            error = pthread_cond_timedwait(&replica->hooks.calm, &gate, &until);
    return !error;
}

bool
glupy_hooks_settle(struct glupy_instance *self, unsigned seconds)
{
    bool calm;

    pthread_mutex_lock(&gate);
    atomic_store(&self->hooks.settled, !glupy_graphs_are_kept(self->this->ctx));
    calm = wait_until_calm(self, seconds);
    pthread_mutex_unlock(&gate);
    return calm;
}

void
glupy_hooks_silence(struct glupy_instance *self)
{
    pthread_mutex_lock(&gate);
    self->hooks.ended = true;
    pthread_mutex_unlock(&gate);
}

bool
glupy_hooks_end(struct glupy_instance *self, unsigned seconds)
{
    struct glupy_instance *replica;
    bool calm;

    pthread_mutex_lock(&gate);
    glupy_look_bar();
    self->this->private = NULL;
    glupy_look_unbar();
    calm = wait_until_calm(self, seconds);
    glupy_for_each_replica(replica, self)
        replica->hooks.ended = true;
    pthread_mutex_unlock(&gate);
    return calm;
}
