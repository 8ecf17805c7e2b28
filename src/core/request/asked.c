/* Replies that are longer than what was asked for. See asked.h. */
#include "request/asked.h"

#include <linux/limits.h>

#include "base/compat.h"
#include "observe/log.h"
#include "request/subject.h"

#define UNKNOWN UINT64_MAX

static int
argument_called(const struct glupy_fop *fop, const char *name)
{
    for (unsigned i = 0; i < fop->nargs; i++)
        if (strcmp(fop->args[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* An argument as C passes it. A reference to what keeps it there; NULL: there is none of that name, or it is gone. */
static PyObject *
argument(struct glupy_request *request, const char *name, void *passed)
{
    int i = argument_called(request->fop, name);
    PyObject *keep = i < 0 ? NULL : request->instance->flavour->passed(request, (unsigned)i, passed);

    PyErr_Clear();
    return keep;
}

/* How many bytes were asked for. */
static uint64_t
asked(struct glupy_request *request, const char *name)
{
    uint64_t size = UNKNOWN;

    Py_XDECREF(argument(request, name, &size));
    return size;
}

/* How many bytes were brought. */
static uint64_t
brought(struct glupy_request *request)
{
    struct glupy_payload payload;
    PyObject *keep = argument(request, "vector", &payload);
    uint64_t size = keep ? (uint64_t)iov_length(payload.vector, payload.count) : UNKNOWN;

    Py_XDECREF(keep);
    return size;
}

static void
say(struct glupy_request *request, gf_loglevel_t level, PyObject *what)
{
    const char *name = glupy_instance_name(request->instance);
    PyObject *path = what ? glupy_request_path(request) : NULL;
    PyObject *text = path ? PyUnicode_FromFormat("%s: %s of %R %U", name, request->fop->name, path, what) : NULL;
    PyObject *bytes = text ? PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace") : NULL;

    PyErr_Clear();
    if (bytes)
        glupy_log(request->instance->state, name, level, "glupy", 0, request->fop->name, PyBytes_AS_STRING(bytes));
    Py_XDECREF(bytes);
    Py_XDECREF(text);
    Py_XDECREF(path);
    Py_XDECREF(what);
}

static void
say_cut(struct glupy_request *request, uint64_t found, uint64_t most)
{
    say(request, GF_LOG_ERROR,
        PyUnicode_FromFormat("is answered with %llu bytes: it can have %llu, the rest is cut off",
                             (unsigned long long)found, (unsigned long long)most));
}

static const struct glupy_field *
reply_field(const struct glupy_fop *fop, const struct glupy_kind *kind)
{
    for (unsigned i = 0; i < fop->nreply; i++)
        if (fop->reply[i].kind == kind)
            return &fop->reply[i];
    return NULL;
}

static void
cut_payload(struct glupy_payload *payload, size_t most)
{
    int32_t count = 0;

    while (count < payload->count && most > 0) {
        struct iovec *piece = &payload->vector[count++];

        if (piece->iov_len > most)
            piece->iov_len = most;
        most -= piece->iov_len;
    }
    payload->count = count;
}

static void
cut_read(struct glupy_answer *answer, struct glupy_request *request, bool made)
{
    struct glupy_payload *payload = glupy_held(reply_field(answer->fop, &glupy_kind_payload), &answer->held);
    size_t found = iov_length(payload->vector, payload->count);
    uint64_t most = asked(request, "size");

    if (found <= most)
        return;
    say_cut(request, found, most);
    cut_payload(payload, (size_t)most);
    answer->op_ret = (int32_t)most;
}

/* Those who ask take op_ret bytes of it. No link is longer than a path: fuse asks for a byte more than the kernel takes. */
static void
cut_link(struct glupy_answer *answer, struct glupy_request *request, bool made)
{
    char *path = *(char **)glupy_held(reply_field(answer->fop, &glupy_kind_string), &answer->held);
    uint64_t most = asked(request, "size");

    if (most > PATH_MAX - 1)
        most = PATH_MAX - 1;
    if ((uint64_t)answer->op_ret <= most)
        return;
    say_cut(request, (uint64_t)answer->op_ret, most);
    path[most] = '\0';
    answer->op_ret = (int32_t)most;
}

/* More than was brought cannot have been written, or copied. */
static void
cut_count(struct glupy_answer *answer, struct glupy_request *request, uint64_t most)
{
    if ((uint64_t)answer->op_ret <= most)
        return;
    say(request, GF_LOG_ERROR,
        PyUnicode_FromFormat("is answered with op_ret %d: there were %llu bytes to write, so it is that many",
                             (int)answer->op_ret, (unsigned long long)most));
    answer->op_ret = (int32_t)most;
}

static void
cut_written(struct glupy_answer *answer, struct glupy_request *request, bool made)
{
    cut_count(answer, request, brought(request));
}

static void
cut_copied(struct glupy_answer *answer, struct glupy_request *request, bool made)
{
    cut_count(answer, request, asked(request, "len"));
}

/* Nothing is cut: half a value is none, and not everybody has this limit. */
static void
look_at_value(struct glupy_answer *answer, struct glupy_request *request, bool made)
{
    dict_t *dict = *(dict_t **)glupy_held(reply_field(answer->fop, &glupy_kind_dict), &answer->held);
    char *name = NULL;
    PyObject *keep;
    data_t *value;

    if (!made)
        return;
    keep = argument(request, "name", &name);
    value = dict && name ? dict_get(dict, name) : NULL;
    if (value && value->len > XATTR_SIZE_MAX)
        say(request, GF_LOG_WARNING,
            PyUnicode_FromFormat("is answered with %d bytes for %s: on a mount, a value of more than %d is an error",
                                 (int)value->len, name, XATTR_SIZE_MAX));
    Py_XDECREF(keep);
}

const glupy_cutter glupy_cutters[GF_FOP_MAXVALUE] = {
    [GF_FOP_READ] = cut_read,
    [GF_FOP_READLINK] = cut_link,
    [GF_FOP_WRITE] = cut_written,
    [GF_FOP_COPY_FILE_RANGE] = cut_copied,
    [GF_FOP_GETXATTR] = look_at_value,
    [GF_FOP_FGETXATTR] = look_at_value,
};

/* The argument of a fop that its reply is measured by; -1: there is none. */
static int
measure_of(const struct glupy_fop *fop)
{
    switch (fop->op) {
        case GF_FOP_READ:
        case GF_FOP_READLINK:
            return argument_called(fop, "size");
        case GF_FOP_WRITE:
            return argument_called(fop, "vector");
        case GF_FOP_COPY_FILE_RANGE:
            return argument_called(fop, "len");
        default:
            return -1;
    }
}

static uint64_t
amount(const struct glupy_field *field, const void *passed)
{
    const struct glupy_payload *payload = passed;

    return field->kind == &glupy_kind_payload ? (uint64_t)iov_length(payload->vector, payload->count)
                                              : *(const uint64_t *)passed;
}

bool
glupy_wind_asks_more(struct glupy_request *request, struct glupy_wind *wind)
{
    int i = wind->fop == request->fop ? measure_of(wind->fop) : -1;
    const struct glupy_field *field = i < 0 ? NULL : &wind->fop->args[i];
    union glupy_any_args passed;
    PyObject *keep;
    bool more;

    /* One that has been awaited before has let go of its arguments, and of what they passed. It is no answer either. */
    if (!field || wind->base.stage != GLUPY_NEW || !(keep = argument(request, field->name, glupy_passed(field, &passed))))
        return false;
    more = keep != wind->argv[i];
    if (more) {
        uint64_t most = amount(field, glupy_passed(field, &passed));

        if (wind->argv[i])
            field->kind->pass(wind->argv[i], glupy_passed(field, &wind->passed));
        more = amount(field, glupy_passed(field, &wind->passed)) > most;
    }
    Py_DECREF(keep);
    return more;
}
