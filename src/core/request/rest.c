/* The list of requests at rest. See rest.h. */
#include "request/rest.h"

#include "request/request.h"
#include "request/subject.h"
#include "values/types/types.h"

/* A coroutine that awaits another, that another …: where the innermost stands says most; but not at any price. */
#define DEEPEST 16u

void
glupy_rest_begin(struct glupy_request *request)
{
    struct glupy_resting *resting = &request->instance->resting;

    pthread_mutex_lock(&resting->lock);
    request->rest.listed = true;
    request->rest.seen = 0;
    list_add_tail(&request->rest.link, &resting->list);
    resting->count++;
    pthread_mutex_unlock(&resting->lock);
}

void
glupy_rest_end(struct glupy_request *request)
{
    struct glupy_resting *resting = &request->instance->resting;

    if (!request->rest.listed)
        return;
    pthread_mutex_lock(&resting->lock);
    request->rest.listed = false;
    list_del(&request->rest.link);
    resting->count--;
    pthread_mutex_unlock(&resting->lock);
}

/* One that rests says more than one that does not: what a child answers at once another thread may have been quick to answer. */
#define SURE 32

void
glupy_rest_expect(struct glupy_request *request, bool rests)
{
    _Atomic unsigned char *likely = &request->instance->resting.likely[request->fop->index];
    unsigned char before = atomic_load_explicit(likely, memory_order_relaxed), now = rests ? SURE : before ? before - 1 : 0;

    if (now != before)
        atomic_store_explicit(likely, now, memory_order_relaxed);
}

bool
glupy_rest_expected(struct glupy_request *request)
{
    return atomic_load_explicit(&request->instance->resting.likely[request->fop->index], memory_order_relaxed) != 0;
}

void
glupy_rest_lose(struct glupy_instance *instance)
{
    struct glupy_request *request;

    pthread_mutex_lock(&instance->resting.lock);
    list_for_each_entry(request, &instance->resting.list, rest.link)
    {
        if (request->fop)
            glupy_request_nudge(request);
    }
    pthread_mutex_unlock(&instance->resting.lock);
}

void
glupy_rest_awaits(struct glupy_awaitable **slot, PyObject *awaitable)
{
    Py_XSETREF(*slot, (struct glupy_awaitable *)Py_XNewRef(awaitable));
}

/* A new reference. */
static PyObject *
innermost(struct glupy_state *state, PyObject *coroutine)
{
    Py_INCREF(coroutine);
    for (unsigned depth = 0; depth < DEEPEST; depth++) {
        PyObject *next = PyObject_GetAttr(coroutine, state->str_cr_await);

        if (!next || !PyCoro_CheckExact(next)) {
            PyErr_Clear();
            Py_XDECREF(next);
            break;
        }
        Py_SETREF(coroutine, next);
    }
    return coroutine;
}

static void
forget_place(struct glupy_rest *rest)
{
    Py_CLEAR(rest->code);
    rest->file = rest->function = NULL;
}

static void
note_place(struct glupy_rest *rest, PyFrameObject *frame)
{
    PyCodeObject *code = PyFrame_GetCode(frame);

    rest->file = PyUnicode_AsUTF8(code->co_filename);
    rest->function = PyUnicode_AsUTF8(code->co_qualname);
#ifdef Py_GIL_DISABLED
    rest->at = PyFrame_GetLineNumber(frame);
#else
    rest->at = PyFrame_GetLasti(frame);
#endif
    rest->code = (PyObject *)code;
    PyErr_Clear(); /* a file name that is not UTF-8 */
}

void
glupy_rest_locate(struct glupy_request *request)
{
    struct glupy_state *state = request->instance->state;
    PyObject *coroutine, *frame;

    forget_place(&request->rest);
    if (request->offload.waits)
        note_place(&request->rest, PyEval_GetFrame());
    if (!request->progress.coroutine || !PyCoro_CheckExact(request->progress.coroutine))
        return;
    coroutine = innermost(state, request->progress.coroutine);
    frame = PyObject_GetAttr(coroutine, state->str_cr_frame);
    if (frame && PyFrame_Check(frame))
        note_place(&request->rest, (PyFrameObject *)frame);
    PyErr_Clear();
    Py_XDECREF(frame);
    Py_DECREF(coroutine);
}

void
glupy_rest_clear(struct glupy_request *request)
{
    forget_place(&request->rest);
    Py_CLEAR(request->rest.awaits);
}

/* Copying, under the lock */

/* The end of a long path says more than its beginning. */
static char *
shown_path(const char *path)
{
    size_t length = strlen(path);
    char *text = NULL;

    if (length <= GLUPY_SHOWN_TEXT)
        return strdup(path);
    return asprintf(&text, "...%s", path + length - GLUPY_SHOWN_TEXT) < 0 ? NULL : text;
}

/* The table's lock is not waited for: a dump is what one looks at when something hangs. Without it, the gfid. */
static char *
path_of_inode(inode_t *inode)
{
    char *path = NULL, *shown = NULL, gfid[GF_UUID_BUF_SIZE];

    if (pthread_mutex_trylock(&inode->table->lock) == 0) {
        if (__inode_path(inode, NULL, &path) < 0)
            path = NULL;
        pthread_mutex_unlock(&inode->table->lock);
    }
    if (path)
        shown = shown_path(path);
    else if (asprintf(&shown, "<gfid:%s>", uuid_utoa_r(inode->gfid, gfid)) < 0)
        shown = NULL;
    GF_FREE(path);
    return shown;
}

/* The wrappers own their values while the request rests, or the thread that waits in its method does. */
static char *
path_of(struct glupy_request *request)
{
    const char *path;
    inode_t *inode;

    if (!glupy_request_place(request, &path, &inode))
        return NULL;
    return path ? shown_path(path) : path_of_inode(inode);
}

static char *
awaits_of(struct glupy_request *request)
{
    char text[GLUPY_SHOWN_TEXT] = "";
    struct glupy_line line = {.text = text, .room = sizeof(text)};

    if (request->rest.awaits)
        glupy_describe(&line, request->rest.awaits);
    else if (request->out.count)
        glupy_say(&line, "%u that it began and gave up", request->out.count);
    return *text ? strdup(text) : NULL;
}

/* Finding the line takes as long as all else about coming to rest, and hardly anybody asks. It is read from what never changes in
 * the code object: no interpreter is needed, but where Python has locks for its objects. */
static int
line_of(const struct glupy_rest *rest)
{
#ifdef Py_GIL_DISABLED
    return rest->at;
#else
    return PyCode_Addr2Line((PyCodeObject *)rest->code, rest->at);
#endif
}

static char *
place_of(const struct glupy_rest *rest)
{
    char *text = NULL;

    if (!rest->file || !rest->function)
        return NULL;
    return asprintf(&text, "%.400s:%d in %.400s", rest->file, line_of(rest), rest->function) < 0 ? NULL : text;
}

static void
copy(struct glupy_suspended *out, struct glupy_request *request)
{
    *out = (struct glupy_suspended){
        .fop = request->fop ? request->fop->name : "task",
        .began = request->timing.began,
        .since = request->timing.since,
        .path = path_of(request),
        .awaits = awaits_of(request),
        .at = place_of(&request->rest),
    };
    if (request->fop) {
        out->caller = true;
        out->unique = request->frame->root->unique;
        out->uid = request->frame->root->uid;
        out->pid = (uint32_t)request->frame->root->pid;
    }
}

unsigned
glupy_resting_copy(struct glupy_instance *instance, struct glupy_suspended *out, unsigned room, uint64_t *count)
{
    struct glupy_request *request;
    unsigned n = 0;

    pthread_mutex_lock(&instance->resting.lock);
    *count = instance->resting.count;
    list_for_each_entry(request, &instance->resting.list, rest.link)
    {
        if (n == room)
            break;
        copy(&out[n++], request);
    }
    pthread_mutex_unlock(&instance->resting.lock);
    return n;
}

/* A lock is waited for as long as another holds it: nothing is wrong with that. */
static bool
waits_by_nature(const struct glupy_fop *fop)
{
    switch (fop->op) {
        case GF_FOP_LK:
        case GF_FOP_INODELK:
        case GF_FOP_FINODELK:
        case GF_FOP_ENTRYLK:
        case GF_FOP_FENTRYLK:
            return true;
        default:
            return false;
    }
}

static bool
is_overdue(struct glupy_request *request, uint64_t nanoseconds, uint64_t now)
{
    if (!request->fop || request->rest.said || waits_by_nature(request->fop))
        return false;
    if (!request->rest.seen)
        request->rest.seen = now;
    return now - request->rest.seen >= nanoseconds;
}

unsigned
glupy_resting_overdue(struct glupy_instance *instance, uint64_t nanoseconds, uint64_t now, struct glupy_suspended *out,
                      unsigned room)
{
    struct glupy_request *request;
    unsigned n = 0;

    pthread_mutex_lock(&instance->resting.lock);
    list_for_each_entry(request, &instance->resting.list, rest.link)
    {
        if (n < room && is_overdue(request, nanoseconds, now)) {
            request->rest.said = true;
            copy(&out[n++], request);
        }
    }
    pthread_mutex_unlock(&instance->resting.lock);
    return n;
}

uint64_t
glupy_resting_count(struct glupy_instance *instance)
{
    uint64_t count;

    pthread_mutex_lock(&instance->resting.lock);
    count = instance->resting.count;
    pthread_mutex_unlock(&instance->resting.lock);
    return count;
}

void
glupy_suspended_free(struct glupy_suspended *suspended, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        free(suspended[i].path);
        free(suspended[i].awaits);
        free(suspended[i].at);
    }
}
