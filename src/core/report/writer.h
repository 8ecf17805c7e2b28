/* How a report (report.h) is put down: as JSON, as the lines of a statedump, as those of a metrics file. None of them needs
 * the interpreter. */
#ifndef GLUPY_WRITER_H
#define GLUPY_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct glupy_writer {
    /* Everything has a key. What lies between open() and close() belongs to it; in a list the keys are "0", "1", … */
    void (*open)(struct glupy_writer *self, const char *key, bool list);
    void (*close)(struct glupy_writer *self);
    void (*number)(struct glupy_writer *self, const char *key, uint64_t value);
    void (*text)(struct glupy_writer *self, const char *key, const char *value);
};

/* JSON: one value, grown in memory. */
struct glupy_json {
    struct glupy_writer writer;
    char *text;     /* not terminated; to be freed */
    size_t length;
    size_t room;
    unsigned depth;
    uint64_t lists; /* a bit for each level: is it a list? */
    bool failed;    /* no memory: what there is is not whole */
};

void glupy_json_init(struct glupy_json *json);

/* Append as it is: a list around several values. */
void glupy_json_raw(struct glupy_json *json, const char *text, size_t length);

/* key=value lines: levels of keys are joined with dots. */
struct glupy_flat {
    struct glupy_writer writer;
    char key[512];
    unsigned depth;
    size_t lengths[8]; /* of the key at each level */
    int fd;            /* metrics */
    const char *name;
};

/* For gf_proc_dump_write(): into the statedump or .meta file that GlusterFS is writing. */
void glupy_flat_to_dump(struct glupy_flat *flat);

/* "NAME.glupy.KEY NUMBER", as GlusterFS's own metrics; texts are left out. */
void glupy_flat_to_metrics(struct glupy_flat *flat, const char *name, int fd);

#endif
