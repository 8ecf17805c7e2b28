/* Who has something. See user.h. Of a fop nothing is looked up and nothing allocated: whatever is locked pays for it. */
#include "request/user.h"

#include "request/subject.h"

static void
note(struct glupy_user *self, const char *text)
{
    size_t length = strlen(text);

    /* The end of a long path says more than its beginning. */
    if (length < sizeof(self->about)) {
        memcpy(self->about, text, length + 1);
    } else {
        memcpy(self->about, "...", 3);
        memcpy(self->about + 3, text + length - (sizeof(self->about) - 4), sizeof(self->about) - 3);
    }
}

static void
note_file(struct glupy_user *self, struct glupy_request *request)
{
    const char *path;
    inode_t *inode;

    if (!glupy_request_place(request, &path, &inode))
        return;
    if (path)
        note(self, path);
    else
        gf_uuid_copy(self->gfid, inode->gfid);
}

static void
note_coroutine(struct glupy_user *self, PyObject *coroutine)
{
    PyObject *name;
    const char *text;

    if (!coroutine || !PyCoro_CheckExact(coroutine))
        return;
    name = PyObject_GetAttrString(coroutine, "__qualname__");
    text = name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    if (text)
        note(self, text);
    Py_XDECREF(name);
    PyErr_Clear();
}

void
glupy_user_is(struct glupy_user *self, struct glupy_request *request)
{
    self->fop = !request ? NULL : request->fop ? request->fop->name : "task";
    self->unique = 0;
    self->about[0] = '\0';
    gf_uuid_clear(self->gfid);
    if (!request)
        return;
    if (!request->fop) {
        note_coroutine(self, request->progress.coroutine);
        return;
    }
    self->unique = request->frame->root->unique;
    note_file(self, request);
}

void
glupy_user_say(struct glupy_user *self, struct glupy_line *line)
{
    char gfid[GF_UUID_BUF_SIZE];

    if (!self->fop) {
        glupy_say(line, "code outside any request");
        return;
    }
    glupy_say(line, "%s", self->fop);
    if (self->about[0])
        glupy_say(line, self->unique ? " of %s" : " %s", self->about);
    else if (!gf_uuid_is_null(self->gfid))
        glupy_say(line, " of <gfid:%s>", uuid_utoa_r(self->gfid, gfid));
    if (self->unique)
        glupy_say(line, " (unique %" PRIu64 ")", self->unique);
}
