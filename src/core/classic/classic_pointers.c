/* The pointer objects that classic scripts are given, and which frames are live.
 *
 * ctypes has no C interface. A pointer object is made by calling its type, which is slow; where its pointer stands is
 * found by the buffer protocol, once in the object's life. So objects that come back are used again: on the straight
 * path none is made and none is freed. */
#include "classic/classic.h"

#include "base/compat.h"

static bool
make(struct glupy_classic_state *state, enum glupy_classic_type type, struct glupy_pointer *pointer)
{
    Py_buffer buffer;

    pointer->type = type;
    pointer->object = PyObject_CallNoArgs(state->types[type]);
    if (!pointer->object)
        return false;
    if (PyObject_GetBuffer(pointer->object, &buffer, PyBUF_SIMPLE) != 0) {
        Py_CLEAR(pointer->object);
        return false;
    }
    pointer->slot = buffer.buf;
    PyBuffer_Release(&buffer);
    return true;
}

bool
glupy_pointers_check(struct glupy_classic_state *state)
{
    for (unsigned i = 0; i < GLUPY_CLASSIC_POINTERS; i++) {
        struct glupy_pointer pointer;

        if (!make(state, (enum glupy_classic_type)i, &pointer))
            return false;
        if (memcmp((char *)pointer.object + sizeof(PyObject), &pointer.slot, sizeof(pointer.slot)) != 0)
            state->plain = false;
        Py_DECREF(pointer.object);
    }
    return true;
}

bool
glupy_pointer_new(struct glupy_classic_state *state, enum glupy_classic_type type, void *value,
                  struct glupy_pointer *pointer)
{
    if (state->nspare[type])
        *pointer = state->spare[type][--state->nspare[type]];
    else if (!make(state, type, pointer))
        return false;
    pointer->value = *pointer->slot = value;
    return true;
}

void
glupy_pointer_drop(struct glupy_classic_state *state, struct glupy_pointer *pointer)
{
    PyObject *object = pointer->object;

    pointer->object = NULL;
    if (!object)
        return;
    /* One that the script made point elsewhere keeps alive what it points to: that one goes. */
    if (!glupy_sole_reference(object) || *pointer->slot != pointer->value ||
        state->nspare[pointer->type] == GLUPY_CLASSIC_SPARE) {
        Py_DECREF(object);
        return;
    }
    *pointer->slot = NULL;
    pointer->object = object;
    state->spare[pointer->type][state->nspare[pointer->type]++] = *pointer;
    pointer->object = NULL;
}

void
glupy_pointer_end(struct glupy_classic_state *state, struct glupy_pointer *pointer)
{
    if (!pointer->object)
        return;
    if (!glupy_sole_reference(pointer->object))
        *pointer->slot = NULL;
    glupy_pointer_drop(state, pointer);
}

static struct list_head *
bucket_of(struct glupy_classic_state *state, const call_frame_t *frame)
{
    uintptr_t key = (uintptr_t)frame;

    return &state->frames[(key >> 4 ^ key >> 13) % GLUPY_CLASSIC_BUCKETS];
}

struct glupy_classic_request *
glupy_classic_find(struct glupy_classic_state *state, const call_frame_t *frame)
{
    struct glupy_classic_request *self;

    list_for_each_entry(self, bucket_of(state, frame), link)
    {
        if (self->request->frame == frame)
            return self;
    }
    return NULL;
}

void
glupy_classic_register(struct glupy_classic_state *state, struct glupy_classic_request *self)
{
    list_add(&self->link, bucket_of(state, self->request->frame));
}
