/* Writing lines: a statedump's key=value, a metrics file's "key number". One line a value, whatever is in it. */
#include "base/gluster.h"
#include "report/writer.h"

static struct glupy_flat *
flat_of(struct glupy_writer *writer)
{
    return (struct glupy_flat *)writer;
}

/* Put the key of one value behind those of the levels above it. */
static void
add_key(struct glupy_flat *flat, const char *key)
{
    size_t length = flat->lengths[flat->depth];

    snprintf(flat->key + length, sizeof(flat->key) - length, "%s%s", length ? "." : "", key);
}

static void
flat_open(struct glupy_writer *writer, const char *key, bool list)
{
    struct glupy_flat *flat = flat_of(writer);

    (void)list;
    add_key(flat, key);
    flat->depth++;
    flat->lengths[flat->depth] = strlen(flat->key);
}

/* The outermost level, which has the empty key, has no length. */
static void
flat_close(struct glupy_writer *writer)
{
    flat_of(writer)->depth--;
}

/* Control characters and the backslash as \xNN: no value becomes two lines. Others stay as they are, bytes that are not
 * UTF-8 as well. */
static void
escape(char *to, size_t room, const char *from)
{
    size_t length = 0;

    for (; *from && length + 5 < room; from++) {
        unsigned char byte = (unsigned char)*from;

        if (byte < 0x20 || byte == 0x7f || byte == '\\')
            length += (size_t)snprintf(to + length, room - length, "\\x%02x", byte);
        else
            to[length++] = *from;
    }
    to[length] = '\0';
}

/* GlusterFS puts key and value into a buffer of GF_DUMP_MAX_BUF_LEN, and trusts that they fit. */
#define LONGEST (GF_DUMP_MAX_BUF_LEN - sizeof(((struct glupy_flat *)0)->key) - 16)

static void
dump_text(struct glupy_writer *writer, const char *key, const char *value)
{
    char shown[LONGEST];

    escape(shown, sizeof(shown), value);
    add_key(flat_of(writer), key);
    gf_proc_dump_write(flat_of(writer)->key, "%s", shown);
}

static void
dump_number(struct glupy_writer *writer, const char *key, uint64_t value)
{
    add_key(flat_of(writer), key);
    gf_proc_dump_write(flat_of(writer)->key, "%" PRIu64, value);
}

static void
metrics_text(struct glupy_writer *writer, const char *key, const char *value)
{
    (void)writer;
    (void)key;
    (void)value;
}

static void
metrics_number(struct glupy_writer *writer, const char *key, uint64_t value)
{
    struct glupy_flat *flat = flat_of(writer);

    add_key(flat, key);
    dprintf(flat->fd, "%s.glupy.%s %" PRIu64 "\n", flat->name, flat->key, value);
}

void
glupy_flat_to_dump(struct glupy_flat *flat)
{
    *flat = (struct glupy_flat){
        .writer = {.open = flat_open, .close = flat_close, .number = dump_number, .text = dump_text},
    };
}

void
glupy_flat_to_metrics(struct glupy_flat *flat, const char *name, int fd)
{
    *flat = (struct glupy_flat){
        .writer = {.open = flat_open, .close = flat_close, .number = metrics_number, .text = metrics_text},
        .fd = fd,
        .name = name,
    };
}
