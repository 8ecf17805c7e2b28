/* Buffer: what readv answers and writev is given, read-only bytes in pieces (struct iovec) that an iobref keeps alive.
 * One that allocate() made can be written to until it is given to a wind or a reply: from then on GlusterFS reads it.
 *
 * Nothing here copies data but the constructor, a wrapped vector that came without an iobref, and the joining of
 * several pieces for those who ask for one. The arrays of iovecs that an object or a held payload owns come from malloc,
 * so that one can become the other. */
#include "values/types/types.h"

/* What an empty payload's vector points to: some consumers look at vector[0] whatever the count says. */
static struct iovec no_piece;

static inline struct glupy_buffer *
buffer_of(PyObject *object)
{
    return (struct glupy_buffer *)object;
}

static size_t
payload_size(const struct glupy_payload *payload)
{
    size_t size = 0;

    for (int32_t i = 0; i < payload->count; i++)
        size += payload->vector[i].iov_len;
    return size;
}

static void
payload_read(const struct glupy_payload *payload, char *into)
{
    for (int32_t i = 0; i < payload->count; i++) {
        if (payload->vector[i].iov_len)
            memcpy(into, payload->vector[i].iov_base, payload->vector[i].iov_len);
        into += payload->vector[i].iov_len;
    }
}

/* What keeps an iobuf, whose reference it takes over, and its address in *memory. NULL: no memory. */
static struct iobref *
memory_of(struct iobuf *iobuf, void **memory)
{
    struct iobref *iobref = iobuf ? iobref_new() : NULL;

    if (iobref && iobref_add(iobref, iobuf) < 0) {
        iobref_unref(iobref);
        iobref = NULL;
    }
    if (iobref)
        *memory = iobuf_ptr(iobuf);
    if (iobuf)
        iobuf_unref(iobuf);
    return iobref;
}

/* Memory of `size` bytes: its address in *memory, and the iobref that keeps it. NULL: no memory. */
static struct iobref *
memory_new(size_t size, void **memory)
{
    return memory_of(iobuf_get2(THIS->ctx->iobuf_pool, size ? size : 1), memory);
}

/* The same from a page's beginning, as O_DIRECT asks for. */
static struct iobref *
memory_aligned(size_t size, void **memory)
{
    return memory_of(iobuf_get_page_aligned(THIS->ctx->iobuf_pool, size, (size_t)sysconf(_SC_PAGESIZE)), memory);
}

/* Make *to a payload of its own: the same memory, or a copy in one piece where `from` has nothing that keeps it alive.
 * Needs no interpreter. 0 or -1 (no memory). */
static int
payload_copy(struct glupy_payload *to, const struct glupy_payload *from)
{
    struct glupy_payload copy = {.count = from->iobref ? from->count : from->count > 0};

    *to = (struct glupy_payload){0};
    if (copy.count && !(copy.vector = malloc((size_t)copy.count * sizeof(struct iovec))))
        return -1;
    if (from->iobref) {
        if (copy.count)
            memcpy(copy.vector, from->vector, (size_t)copy.count * sizeof(struct iovec));
        copy.iobref = iobref_ref(from->iobref);
    } else if (copy.count) {
        copy.vector->iov_len = payload_size(from);
        copy.iobref = memory_new(copy.vector->iov_len, &copy.vector->iov_base);
        if (!copy.iobref) {
            free(copy.vector);
            return -1;
        }
        payload_read(from, copy.vector->iov_base);
    }
    *to = copy;
    return 0;
}

/* Consumers dereference an iobref without looking, even one with no data. */
static void
payload_lend(struct glupy_payload *payload, struct glupy_payload *passed)
{
    if (!payload->iobref)
        payload->iobref = iobref_new();
    *passed = *payload;
    if (!passed->vector)
        passed->vector = &no_piece;
}

/* A new empty Buffer, owning nothing. */
static PyObject *
buffer_alloc(struct glupy_state *state)
{
    PyObject *self = glupy_disown(state->buffer_type->tp_alloc(state->buffer_type, 0));

    if (self)
        buffer_of(self)->owned = true;
    return self;
}

/* A Buffer of one piece, `size` bytes of fresh memory to be filled, which `get` gives. */
static PyObject *
buffer_sized(struct glupy_state *state, size_t size, struct iobref *(*get)(size_t size, void **memory))
{
    PyObject *object = buffer_alloc(state);

    if (!object || !size)
        return object;
    struct glupy_buffer *self = buffer_of(object);
    self->payload.iobref = get(size, &self->single.iov_base);
    if (!self->payload.iobref) {
        Py_DECREF(object);
        return PyErr_NoMemory();
    }
    self->single.iov_len = size;
    self->payload.vector = &self->single;
    self->payload.count = 1;
    return object;
}

/* Join several pieces, once. 0, or -1 with MemoryError. */
static int
buffer_join(struct glupy_buffer *self)
{
    if (self->joined)
        return 0;
    void *memory;
    size_t size = payload_size(&self->payload);
    struct iobref *joined = memory_new(size, &memory);
    if (!joined) {
        PyErr_NoMemory();
        return -1;
    }
    payload_read(&self->payload, memory);
    self->whole = (struct iovec){.iov_base = memory, .iov_len = size};
    self->joined = joined;
    return 0;
}

/* All bytes in one piece; NULL with MemoryError. */
static const struct iovec *
buffer_whole(struct glupy_buffer *self)
{
    if (self->payload.count == 0)
        return &no_piece;
    if (self->payload.count == 1)
        return self->payload.vector;
    return buffer_join(self) < 0 ? NULL : &self->whole;
}

static bool
is_bytes_like(PyObject *value)
{
    return PyObject_CheckBuffer(value) != 0;
}

static PyObject *
buffer_from_bytes(struct glupy_state *state, PyObject *value)
{
    Py_buffer view;

    if (PyObject_GetBuffer(value, &view, PyBUF_FULL_RO) < 0)
        return NULL;
    PyObject *self = buffer_sized(state, (size_t)view.len, memory_new);
    if (self && view.len && PyBuffer_ToContiguous(buffer_of(self)->single.iov_base, &view, view.len, 'C') < 0)
        Py_CLEAR(self);
    PyBuffer_Release(&view);
    return self;
}

/* One Buffer of the views' bytes, one after the other. */
static PyObject *
buffer_from_views(struct glupy_state *state, const Py_buffer *views, Py_ssize_t count)
{
    size_t size = 0;

    for (Py_ssize_t i = 0; i < count; i++)
        size += (size_t)views[i].len;
    PyObject *self = buffer_sized(state, size, memory_new);
    char *into = self ? buffer_of(self)->single.iov_base : NULL;
    for (Py_ssize_t i = 0; i < count && self; i++) {
        if (!views[i].len)
            continue;
        if (PyBuffer_ToContiguous(into, &views[i], views[i].len, 'C') < 0)
            Py_CLEAR(self);
        into += views[i].len;
    }
    return self;
}

/* Views of a tuple's items, up to the first that has none: how many. */
static Py_ssize_t
get_views(PyObject *pieces, Py_buffer *views)
{
    Py_ssize_t count = 0;

    while (count < PyTuple_GET_SIZE(pieces) &&
           PyObject_GetBuffer(PyTuple_GET_ITEM(pieces, count), &views[count], PyBUF_FULL_RO) == 0)
        count++;
    return count;
}

static PyObject *
buffer_from_pieces(struct glupy_state *state, PyObject *iterable)
{
    PyObject *pieces = PySequence_Tuple(iterable), *self = NULL;

    if (!pieces)
        return NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(pieces), ready = 0;
    Py_buffer *views = PyMem_New(Py_buffer, count ? count : 1);
    if (views)
        ready = get_views(pieces, views);
    else
        PyErr_NoMemory();
    if (views && ready == count)
        self = buffer_from_views(state, views, count);
    while (ready > 0)
        PyBuffer_Release(&views[--ready]);
    PyMem_Free(views);
    Py_DECREF(pieces);
    return self;
}

/* A Buffer that shares one piece of another's memory. */
static PyObject *
buffer_of_piece(struct glupy_state *state, const struct glupy_payload *payload, int32_t index)
{
    PyObject *object = buffer_alloc(state);

    if (!object)
        return NULL;
    struct glupy_buffer *self = buffer_of(object);
    self->single = payload->vector[index];
    self->payload = (struct glupy_payload){.vector = &self->single, .count = 1, .iobref = iobref_ref(payload->iobref)};
    return object;
}

/* From here on nobody writes to it: 0, or -1 with BufferError while somebody still can. */
static int
buffer_freeze(struct glupy_buffer *self)
{
    if (self->writers) {
        PyErr_SetString(PyExc_BufferError,
                        "a Buffer with a memoryview through which it can still be written to: release the view, by "
                        "`with memoryview(buffer) as view:`, before the Buffer is handed on");
        return -1;
    }
    self->writable = false;
    return 0;
}

/* Methods. */

PyDoc_STRVAR(allocate_doc,
             "allocate(size, /)\n--\n\n"
             "A Buffer of `size` bytes, all 0, out of GlusterFS's own pool (iobuf_get_page_aligned()), to be filled:\n"
             "memoryview(buffer) is writable, and so file.readinto(buffer) and os.preadv(fd, [buffer], offset) work. It\n"
             "begins at a page. It can be written to until it is given to a wind or a reply, or part() is taken; a view\n"
             "that still could be written to then raises BufferError. Raises ValueError below 0, MemoryError.");

static PyObject *
buffer_allocate(PyObject *type, PyObject *value)
{
    Py_ssize_t size = PyNumber_AsSsize_t(value, PyExc_OverflowError);

    if (size < 0) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_ValueError, "allocate(): a size is 0 or more, not %zd", size);
        return NULL;
    }
    PyObject *self = buffer_sized(glupy_state_of_type((PyTypeObject *)type), (size_t)size, memory_aligned);
    if (self && size) {
        memset(buffer_of(self)->single.iov_base, 0, (size_t)size); /* it was somebody else's */
        buffer_of(self)->writable = true;
    }
    return self;
}

/* Fill a vector with the `size` bytes from `start` on of another, which has them: how many pieces they are in. */
static int32_t
take_pieces(struct iovec *to, const struct glupy_payload *from, size_t start, size_t size)
{
    int32_t count = 0;

    for (int32_t i = 0; i < from->count && size; i++) {
        const struct iovec *piece = &from->vector[i];
        size_t skip = Py_MIN(start, piece->iov_len), rest = Py_MIN(piece->iov_len - skip, size);
        if (rest)
            to[count++] = (struct iovec){.iov_base = (char *)piece->iov_base + skip, .iov_len = rest};
        start -= skip;
        size -= rest;
    }
    return count;
}

PyDoc_STRVAR(part_doc,
             "part($self, start=0, stop=None, /)\n--\n\n"
             "The Buffer of buffer[start:stop], on the same memory: nothing is copied. What allocate() gave cannot be\n"
             "written to any more then.");

static PyObject *
buffer_part(PyObject *object, PyObject *args)
{
    struct glupy_buffer *self = buffer_of(object);
    PyObject *from = Py_None, *to = Py_None, *slice, *part = NULL;
    Py_ssize_t start, stop, step, size = -1;

    if (!PyArg_ParseTuple(args, "|OO:part", &from, &to) || buffer_freeze(self) < 0)
        return NULL;
    slice = PySlice_New(from, to, NULL);
    if (slice && PySlice_Unpack(slice, &start, &stop, &step) == 0)
        size = PySlice_AdjustIndices((Py_ssize_t)payload_size(&self->payload), &start, &stop, step);
    Py_XDECREF(slice);
    if (size >= 0)
        part = buffer_alloc(glupy_state_of(object));
    if (!part || !size)
        return part;
    struct glupy_payload payload = {.vector = malloc((size_t)self->payload.count * sizeof(struct iovec))};
    if (!payload.vector) {
        Py_DECREF(part);
        return PyErr_NoMemory();
    }
    payload.count = take_pieces(payload.vector, &self->payload, (size_t)start, (size_t)size);
    payload.iobref = iobref_ref(self->payload.iobref);
    buffer_of(part)->payload = payload;
    return part;
}

PyDoc_STRVAR(bytes_doc, "__bytes__($self, /)\n--\n\nA copy of the bytes.");

static PyObject *
buffer_bytes(PyObject *self, PyObject *ignored)
{
    const struct glupy_payload *payload = &buffer_of(self)->payload;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)payload_size(payload));

    (void)ignored;
    if (bytes)
        payload_read(payload, PyBytes_AS_STRING(bytes));
    return bytes;
}

static PyMethodDef buffer_methods[] = {
    {"__bytes__", buffer_bytes, METH_NOARGS, bytes_doc},
    {"allocate", buffer_allocate, METH_O | METH_CLASS, allocate_doc},
    {"part", buffer_part, METH_VARARGS, part_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(chunks_doc, "The pieces as they came, a list of memoryviews; nothing is copied.");

static PyObject *
buffer_chunks(PyObject *self, void *ignored)
{
    const struct glupy_payload *payload = &buffer_of(self)->payload;
    PyObject *list = PyList_New(0);

    (void)ignored;
    for (int32_t i = 0; i < payload->count && list; i++) {
        PyObject *piece = payload->count == 1 ? Py_NewRef(self) : buffer_of_piece(glupy_state_of(self), payload, i);
        PyObject *view = piece ? PyMemoryView_FromObject(piece) : NULL;
        if (!view || PyList_Append(list, view) < 0)
            Py_CLEAR(list);
        Py_XDECREF(view);
        Py_XDECREF(piece);
    }
    return list;
}

static PyObject *
buffer_readonly(PyObject *self, void *ignored)
{
    (void)ignored;
    return PyBool_FromLong(!buffer_of(self)->writable);
}

static PyGetSetDef buffer_getset[] = {
    {"chunks", buffer_chunks, NULL, chunks_doc, NULL},
    {"readonly", buffer_readonly, NULL, "False only for what allocate() gave, until it is handed on.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* Slots. */

static Py_ssize_t
buffer_length(PyObject *self)
{
    return (Py_ssize_t)payload_size(&buffer_of(self)->payload);
}

static PyObject *
buffer_item(PyObject *self, size_t index)
{
    const struct glupy_payload *payload = &buffer_of(self)->payload;

    for (int32_t i = 0; i < payload->count; i++) {
        if (index < payload->vector[i].iov_len)
            return PyLong_FromLong(((const uint8_t *)payload->vector[i].iov_base)[index]);
        index -= payload->vector[i].iov_len;
    }
    PyErr_SetString(PyExc_IndexError, "Buffer index out of range");
    return NULL;
}

/* The `size` bytes from `start` on, which are there, into *into. */
static void
buffer_read(const struct glupy_payload *payload, size_t start, size_t size, char *into)
{
    for (int32_t i = 0; i < payload->count && size; i++) {
        const struct iovec *piece = &payload->vector[i];
        size_t skip = start < piece->iov_len ? start : piece->iov_len, part = piece->iov_len - skip;
        if (part > size)
            part = size;
        if (part)
            memcpy(into, (const char *)piece->iov_base + skip, part);
        into += part;
        size -= part;
        start -= skip;
    }
}

static PyObject *
buffer_slice(PyObject *self, PyObject *slice)
{
    Py_ssize_t start, stop, step;

    if (PySlice_Unpack(slice, &start, &stop, &step) < 0)
        return NULL;
    Py_ssize_t count = PySlice_AdjustIndices(buffer_length(self), &start, &stop, step);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, count);
    if (!bytes)
        return NULL;
    if (step == 1) {
        buffer_read(&buffer_of(self)->payload, (size_t)start, (size_t)count, PyBytes_AS_STRING(bytes));
        return bytes;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        buffer_read(&buffer_of(self)->payload, (size_t)(start + i * step), 1, PyBytes_AS_STRING(bytes) + i);
    return bytes;
}

static PyObject *
buffer_subscript(PyObject *self, PyObject *key)
{
    if (PySlice_Check(key))
        return buffer_slice(self, key);
    if (!PyIndex_Check(key)) {
        PyErr_Format(PyExc_TypeError, "Buffer indices must be integers or slices, not %.100s", Py_TYPE(key)->tp_name);
        return NULL;
    }
    Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (index == -1 && PyErr_Occurred())
        return NULL;
    return buffer_item(self, (size_t)(index < 0 ? index + buffer_length(self) : index));
}

static bool
same_bytes(const struct glupy_payload *payload, const char *other)
{
    for (int32_t i = 0; i < payload->count; i++) {
        size_t size = payload->vector[i].iov_len;
        if (size && memcmp(payload->vector[i].iov_base, other, size))
            return false;
        other += size;
    }
    return true;
}

static PyObject *
buffer_compare(PyObject *self, PyObject *other, int op)
{
    Py_buffer view;

    if ((op != Py_EQ && op != Py_NE) || !is_bytes_like(other))
        Py_RETURN_NOTIMPLEMENTED;
    if (PyObject_GetBuffer(other, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    bool same = view.len == buffer_length(self) && same_bytes(&buffer_of(self)->payload, view.buf);
    PyBuffer_Release(&view);
    return PyBool_FromLong(same == (op == Py_EQ));
}

static PyObject *
buffer_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<Buffer of %zd bytes>", buffer_length(self));
}

static int
buffer_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    const struct iovec *whole = buffer_whole(buffer_of(self));

    if (!whole) {
        view->obj = NULL;
        return -1;
    }
    void *bytes = whole->iov_len ? whole->iov_base : "";
    if (PyBuffer_FillInfo(view, self, bytes, (Py_ssize_t)whole->iov_len, !buffer_of(self)->writable, flags) < 0)
        return -1;
    buffer_of(self)->writers += !view->readonly;
    return 0;
}

static void
buffer_releasebuffer(PyObject *self, Py_buffer *view)
{
    buffer_of(self)->writers -= !view->readonly;
}

static PyObject *
buffer_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"", NULL};
    PyObject *data = NULL;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Buffer", names, &data))
        return NULL;
    if (!data)
        return buffer_alloc(glupy_state_of_type(type));
    if (is_bytes_like(data))
        return buffer_from_bytes(glupy_state_of_type(type), data);
    if (PyUnicode_Check(data)) {
        PyErr_SetString(PyExc_TypeError, "expected a bytes-like object or an iterable of them, not str");
        return NULL;
    }
    return buffer_from_pieces(glupy_state_of_type(type), data);
}

static void
buffer_dealloc(PyObject *object)
{
    struct glupy_buffer *self = buffer_of(object);
    PyTypeObject *type = Py_TYPE(object);

    if (self->owned) {
        if (self->payload.vector != &self->single)
            free(self->payload.vector);
        glupy_drop_iobref(self->payload.iobref);
    }
    glupy_drop_iobref(self->joined);
    type->tp_free(object);
    Py_DECREF(type);
}

PyDoc_STRVAR(buffer_doc,
             "Buffer(data=b'', /)\n--\n\n"
             "The bytes of a read's reply or a write: GlusterFS's vector (struct iovec), count and iobref in one.\n\n"
             "Read-only. len(), comparison with bytes-like objects, an index gives an int and a slice gives bytes.\n"
             "memoryview(buffer) and whatever else takes bytes-like objects works on GlusterFS's own memory without a\n"
             "copy where the data is in one piece, and joins several pieces once; `chunks` never copies. A view stays\n"
             "valid as long as it exists, also after the request has been answered: it keeps the memory alive.\n\n"
             "Buffer(data) copies a bytes-like object, or an iterable of them, once. Raises TypeError for others.\n"
             "Buffer.allocate(size) gives one that can be filled first.");

static PyType_Slot buffer_slots[] = {
    {Py_tp_doc, (void *)buffer_doc},
    {Py_tp_new, buffer_tp_new},
    {Py_tp_dealloc, buffer_dealloc},
    {Py_tp_repr, buffer_repr},
    {Py_tp_richcompare, buffer_compare},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_tp_methods, buffer_methods},
    {Py_tp_getset, buffer_getset},
    {Py_mp_length, buffer_length},
    {Py_mp_subscript, buffer_subscript},
    {Py_bf_getbuffer, buffer_getbuffer},
    {Py_bf_releasebuffer, buffer_releasebuffer},
    {0, NULL},
};

static PyType_Spec buffer_spec = {
    .name = "glupy._core.Buffer",
    .basicsize = sizeof(struct glupy_buffer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = buffer_slots,
};

/* Kind. */

/* Give an object a payload it owns. */
static PyObject *
buffer_adopt(PyObject *object, struct glupy_payload *payload)
{
    struct glupy_buffer *self = buffer_of(object);

    self->payload = *payload;
    *payload = (struct glupy_payload){0};
    return object;
}

static PyObject *
payload_wrap(struct glupy_state *state, struct glupy_instance *owner, const void *passed)
{
    const struct glupy_payload *payload = passed;
    struct glupy_payload copy;
    PyObject *self = buffer_alloc(state);

    if (!self || payload->count <= 0)
        return self;
    if (payload->iobref) {
        buffer_of(self)->payload = *payload;
        buffer_of(self)->owned = false;
        return self;
    }
    if (payload_copy(&copy, payload) < 0) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return buffer_adopt(self, &copy);
}

/* The data stays where it is: views that Python has taken remain valid. */
static int
payload_own(PyObject *object)
{
    struct glupy_buffer *self = buffer_of(object);
    struct iovec *vector = &self->single;

    if (Py_IsNone(object) || self->owned)
        return 0;
    if (self->payload.count != 1 && !(vector = malloc((size_t)self->payload.count * sizeof(*vector)))) {
        vector = &self->single; /* without memory the object is empty; views of it stay valid, by the iobref */
        self->payload.count = 0;
        PyErr_NoMemory();
    }
    memcpy(vector, self->payload.vector, (size_t)self->payload.count * sizeof(*vector));
    self->payload.vector = vector;
    iobref_ref(self->payload.iobref);
    self->owned = true;
    return PyErr_Occurred() ? -1 : 0;
}

static PyObject *
payload_convert(struct glupy_state *state, PyObject *value)
{
    if (Py_IS_TYPE(value, state->buffer_type))
        return buffer_freeze(buffer_of(value)) < 0 ? NULL : Py_NewRef(value);
    if (Py_IsNone(value))
        return buffer_alloc(state);
    if (is_bytes_like(value))
        return buffer_from_bytes(state, value);
    PyErr_Format(PyExc_TypeError, "expected Buffer or a bytes-like object, not %.100s", Py_TYPE(value)->tp_name);
    return NULL;
}

static void
payload_pass(PyObject *object, void *passed)
{
    payload_lend(&buffer_of(object)->payload, passed);
}

static int
payload_hold(void *held, const void *passed)
{
    const struct glupy_payload *payload = passed;

    if (payload->count > 0)
        return payload_copy(held, payload);
    *(struct glupy_payload *)held = (struct glupy_payload){0};
    return 0;
}

static void
payload_lend_held(void *held, void *passed)
{
    payload_lend(held, passed);
}

static void
payload_drop(void *held)
{
    struct glupy_payload payload = *(struct glupy_payload *)held;

    *(struct glupy_payload *)held = (struct glupy_payload){0};
    free(payload.vector);
    if (payload.iobref)
        iobref_unref(payload.iobref);
}

static void
payload_discard(void *held)
{
    struct glupy_payload *payload = held;

    free(payload->vector);
    glupy_drop_iobref(payload->iobref);
}

static PyObject *
payload_adopt(struct glupy_state *state, void *held)
{
    PyObject *self = buffer_alloc(state);

    return self ? buffer_adopt(self, held) : NULL;
}

static int
payload_take(PyObject *object, void *held)
{
    if (payload_hold(held, &buffer_of(object)->payload) == 0)
        return 0;
    PyErr_NoMemory();
    return -1;
}

const struct glupy_kind glupy_kind_payload = {
    .name = "Buffer",
    .passed_size = sizeof(struct glupy_payload),
    .held_size = sizeof(struct glupy_payload),
    .wrap = payload_wrap,
    .own = payload_own,
    .convert = payload_convert,
    .pass = payload_pass,
    .hold = payload_hold,
    .lend = payload_lend_held,
    .drop = payload_drop,
    .discard = payload_discard,
    .adopt = payload_adopt,
    .take = payload_take,
};

int
glupy_buffer_setup(struct glupy_state *state)
{
    return glupy_add_type(state, &buffer_spec, &state->buffer_type);
}
