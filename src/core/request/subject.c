/* What a request is about. See subject.h. */
#include "request/subject.h"

#include "base/compat.h"
#include "instance/instance.h"
#include "observe/log.h"
#include "values/types/types.h"

static void *
argument(struct glupy_request *request, unsigned i, const struct glupy_kind *kind)
{
    if (!request->fop || request->fop->args[i].kind != kind)
        return NULL;
    return request->instance->flavour->argument(request, i);
}

loc_t *
glupy_request_loc(struct glupy_request *request, unsigned i)
{
    return argument(request, i, &glupy_kind_loc);
}

fd_t *
glupy_request_fd(struct glupy_request *request, unsigned i)
{
    return argument(request, i, &glupy_kind_fd);
}

bool
glupy_request_place(struct glupy_request *request, const char **path, inode_t **inode)
{
    for (unsigned i = 0; request->fop && i < request->fop->nargs; i++) {
        loc_t *loc = glupy_request_loc(request, i);
        fd_t *fd = glupy_request_fd(request, i);

        *path = loc ? loc->path : NULL;
        *inode = loc ? loc->inode : fd ? fd->inode : NULL;
        if (*path || (*inode && (*inode)->table && !gf_uuid_is_null((*inode)->gfid)))
            return true;
    }
    return false;
}

/* A path of the inode as far as its table knows one, else its gfid. A new reference. */
static PyObject *
path_of_inode(inode_t *inode)
{
    char *path = NULL, gfid[GF_UUID_BUF_SIZE];
    PyObject *text;

    if (inode_path(inode, NULL, &path) < 0 || !path)
        return PyUnicode_FromFormat("<gfid:%s>", uuid_utoa_r(inode->gfid, gfid));
    text = glupy_text(path);
    GF_FREE(path);
    return text;
}

PyObject *
glupy_request_path(struct glupy_request *request)
{
    const char *path;
    inode_t *inode;

    if (!glupy_request_place(request, &path, &inode))
        Py_RETURN_NONE;
    return path ? glupy_text(path) : path_of_inode(inode);
}

PyObject *
glupy_request_method(PyObject *module, PyObject *unused)
{
    struct glupy_thread *thread = glupy_thread_if_any();
    struct glupy_request *request = thread ? thread->stepping : NULL;
    PyObject *path;

    (void)module;
    (void)unused;
    if (!request) {
        PyErr_SetString(PyExc_RuntimeError, "only in a coroutine that glupy runs: a fop's, or a task's in the background");
        return NULL;
    }
    if (!request->fop)
        return Py_BuildValue("OOOO", request->instance, Py_None, Py_None, Py_None);
    path = glupy_request_path(request);
    return path ? Py_BuildValue("OsNK", request->instance, request->fop->name, path,
                                (unsigned long long)request->frame->root->unique)
                : NULL;
}

void
glupy_log_exception_of(struct glupy_request *request, const char *doing, PyObject *about)
{
    struct glupy_instance *instance = request->instance;

    glupy_stats_exception(request->timing.of);
    glupy_log_raised(instance->state, glupy_instance_name(instance), doing, about);
}

void
glupy_log_exception(struct glupy_request *request)
{
    PyObject *exception = PyErr_GetRaisedException();
    PyObject *path = glupy_request_path(request);

    PyErr_Clear();
    if (exception)
        PyErr_SetRaisedException(exception);
    glupy_log_exception_of(request, request->fop ? request->fop->name : "task", path);
    Py_XDECREF(path);
}
