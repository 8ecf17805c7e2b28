/* sink: a leaf that answers every fop at once with plausible success and keeps nothing, so that whatever a test or a
 * benchmark measures is the layers above it.
 *
 * Every name exists: those that start with "dir" are directories, with "link" symbolic links, all others regular files.
 * Names that start with "new" do not exist until something has created them (and the inode table knows them). Reads give
 * bytes whose value is their offset modulo 251; a directory has the entries listed below.
 *
 * Options:
 *   fail    an errno, decimal: every fop fails with it (default 0: none does), but lookups of the root, without which
 *           no graph comes up; can be changed live
 *   fail-step  what is added to that errno after each failure (default 0)
 *   fields  on: failures carry the same fields as a success, but no data and no entries; off: none (default)
 *   marks   on: the xdata of requests gets {"sink-was-here": "yes"}, in place (default off)
 *   xdata   on: replies carry xdata, {"sink": NAME OF THE FOP}; off: NULL (default)
 *
 * Its section of a statedump tells how many frames and dicts the whole process has. */
#include "sink.h"

#include <stdlib.h>
#include <sys/sysmacros.h>

#define PERIOD 251 /* prime, so that no block size hides a wrong offset */
#define READ_MAX (1024 * 1024)

struct sink {
    int32_t fail, step;
    bool fields;
    bool xdata, marks;
    struct iatt iatt;      /* what all objects have in common */
    struct iobuf *pattern; /* READ_MAX + PERIOD bytes */
};

static const struct {
    const char *name;
    ia_type_t type;
} entries[] = {{".", IA_IFDIR}, {"..", IA_IFDIR}, {"a", IA_IFREG}, {"b", IA_IFREG}, {"dir", IA_IFDIR}, {"link", IA_IFLNK}};

int32_t
sink_failure(xlator_t *this)
{
    struct sink *sink = this->private;

    return __atomic_fetch_add(&sink->fail, sink->step, __ATOMIC_RELAXED);
}

bool
sink_bare(xlator_t *this)
{
    struct sink *sink = this->private;

    return __atomic_load_n(&sink->fail, __ATOMIC_RELAXED) && !sink->fields;
}

dict_t *
sink_xdata(xlator_t *this, const char *fop)
{
    struct sink *sink = this->private;

    if (!sink->xdata)
        return NULL;
    dict_t *xdata = dict_new();
    if (xdata && dict_set_dynstr_with_alloc(xdata, "sink", fop) != 0) {
        dict_unref(xdata);
        return NULL;
    }
    return xdata;
}

void
sink_mark(xlator_t *this, dict_t *xdata)
{
    struct sink *sink = this->private;

    if (xdata && sink->marks && dict_set_dynstr_with_alloc(xdata, "sink-was-here", "yes") != 0)
        gf_msg(this->name, GF_LOG_ERROR, ENOMEM, 0, "no mark");
}

static ia_type_t
type_of_name(const char *name)
{
    if (!name || !*name || strncmp(name, "dir", 3) == 0)
        return IA_IFDIR;
    return strncmp(name, "link", 4) == 0 ? IA_IFLNK : IA_IFREG;
}

static void
set_type(struct iatt *buf, ia_type_t type)
{
    buf->ia_type = type;
    buf->ia_prot = ia_prot_from_st_mode(type == IA_IFDIR ? 0755 : 0644);
    buf->ia_nlink = type == IA_IFDIR ? 2 : 1;
}

static void
set_gfid(struct iatt *buf, uuid_t gfid)
{
    gf_uuid_copy(buf->ia_gfid, gfid);
    memcpy(&buf->ia_ino, &buf->ia_gfid[8], sizeof buf->ia_ino);
}

void
sink_iatt(xlator_t *this, struct iatt *buf, loc_t *loc, inode_t *inode, ia_type_t type)
{
    struct sink *sink = this->private;
    uuid_t fresh;

    *buf = sink->iatt;
    if (inode && !gf_uuid_is_null(inode->gfid)) {
        set_gfid(buf, inode->gfid);
    } else if (loc && !gf_uuid_is_null(loc->gfid)) {
        set_gfid(buf, loc->gfid);
    } else {
        gf_uuid_generate(fresh);
        set_gfid(buf, fresh);
    }
    if (type == IA_INVAL && inode)
        type = inode->ia_type;
    if (__is_root_gfid(buf->ia_gfid))
        type = IA_IFDIR;
    set_type(buf, type != IA_INVAL ? type : type_of_name(loc ? loc->name : "file"));
}

void
sink_parent_iatt(xlator_t *this, struct iatt *buf, loc_t *loc)
{
    struct sink *sink = this->private;

    *buf = sink->iatt;
    set_type(buf, IA_IFDIR);
    if (loc && loc->parent)
        set_gfid(buf, loc->parent->gfid);
}

void
sink_statvfs(struct statvfs *buf)
{
    *buf = (struct statvfs){
        .f_bsize = 4096,
        .f_frsize = 4096,
        .f_blocks = 1 << 20,
        .f_bfree = 1 << 19,
        .f_bavail = 1 << 19,
        .f_files = 1 << 20,
        .f_ffree = 1 << 19,
        .f_favail = 1 << 19,
        .f_namemax = 255,
    };
}

static bool
is_root(loc_t *loc)
{
    return loc->inode && __is_root_gfid(loc->inode->gfid);
}

static bool
is_absent(loc_t *loc)
{
    return loc->name && strncmp(loc->name, "new", 3) == 0 && (!loc->inode || gf_uuid_is_null(loc->inode->gfid));
}

int32_t
sink_lookup(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata)
{
    struct iatt buf, postparent;
    int32_t failure = is_root(loc) ? 0 : is_absent(loc) ? ENOENT : sink_failure(this);

    if (failure == ENOENT || (failure && sink_bare(this))) {
        STACK_UNWIND_STRICT(lookup, frame, -1, failure, NULL, NULL, NULL, NULL);
        return 0;
    }
    sink_iatt(this, &buf, loc, loc->inode, IA_INVAL);
    sink_parent_iatt(this, &postparent, loc);
    dict_t *reply = sink_xdata(this, "lookup");
    int32_t ret = failure ? -1 : 0;
    STACK_UNWIND_STRICT(lookup, frame, ret, failure, loc->inode, &buf, reply, &postparent);
    if (reply)
        dict_unref(reply);
    return 0;
}

int32_t
sink_readv(call_frame_t *frame, xlator_t *this, fd_t *fd, size_t size, off_t offset, uint32_t flags, dict_t *xdata)
{
    struct sink *sink = this->private;
    int32_t failure = sink_failure(this);
    struct iobref *iobref = failure ? NULL : iobref_new();
    dict_t *reply = sink_bare(this) ? NULL : sink_xdata(this, "readv");
    struct iatt buf;

    if (!failure && (!iobref || iobref_add(iobref, sink->pattern) != 0))
        failure = ENOMEM;
    struct iatt *fields = sink_bare(this) ? NULL : &buf;
    sink_iatt(this, &buf, NULL, fd->inode, IA_INVAL);
    if (failure) {
        STACK_UNWIND_STRICT(readv, frame, -1, failure, NULL, 0, fields, NULL, reply);
    } else {
        struct iovec vector = {(char *)iobuf_ptr(sink->pattern) + offset % PERIOD, min(size, (size_t)READ_MAX)};
        STACK_UNWIND_STRICT(readv, frame, (int32_t)vector.iov_len, 0, &vector, 1, &buf, iobref, reply);
    }
    if (reply)
        dict_unref(reply);
    if (iobref)
        iobref_unref(iobref);
    return 0;
}

/* The entries from `offset` on that fit into `size` bytes; with attributes and an inode where `plus`. */
static int32_t
list_entries(xlator_t *this, fd_t *fd, size_t size, off_t offset, bool plus, gf_dirent_t *list)
{
    int32_t count = 0;
    size_t used = 0;

    for (size_t i = offset; i < sizeof entries / sizeof *entries; i++) {
        gf_dirent_t *entry = gf_dirent_for_name(entries[i].name);
        used += gf_dirent_size(entries[i].name);
        if (!entry || used > size) {
            gf_dirent_entry_free(entry);
            break;
        }
        entry->d_off = i + 1;
        entry->d_type = entries[i].type == IA_IFDIR ? DT_DIR : entries[i].type == IA_IFLNK ? DT_LNK : DT_REG;
        sink_iatt(this, &entry->d_stat, NULL, i == 0 ? fd->inode : NULL, entries[i].type);
        entry->d_ino = entry->d_stat.ia_ino;
        if (plus && i >= 2)
            entry->inode = inode_new(fd->inode->table);
        list_add_tail(&entry->list, &list->list);
        count++;
    }
    return count;
}

int32_t
sink_readdir(call_frame_t *frame, xlator_t *this, fd_t *fd, size_t size, off_t offset, dict_t *xdata)
{
    int32_t failure = sink_failure(this);
    gf_dirent_t list;

    if (sink_bare(this)) {
        STACK_UNWIND_STRICT(readdir, frame, -1, failure, NULL, NULL);
        return 0;
    }
    INIT_LIST_HEAD(&list.list);
    int32_t count = failure ? -1 : list_entries(this, fd, size, offset, false, &list);
    dict_t *reply = sink_xdata(this, "readdir");
    if (count == 0)
        failure = ENOENT; /* the end */
    STACK_UNWIND_STRICT(readdir, frame, count, failure, &list, reply);
    if (reply)
        dict_unref(reply);
    gf_dirent_free(&list);
    return 0;
}

int32_t
sink_readdirp(call_frame_t *frame, xlator_t *this, fd_t *fd, size_t size, off_t offset, dict_t *xdata)
{
    int32_t failure = sink_failure(this);
    gf_dirent_t list;

    if (sink_bare(this)) {
        STACK_UNWIND_STRICT(readdirp, frame, -1, failure, NULL, NULL);
        return 0;
    }
    INIT_LIST_HEAD(&list.list);
    int32_t count = failure ? -1 : list_entries(this, fd, size, offset, true, &list);
    dict_t *reply = sink_xdata(this, "readdirp");
    if (count == 0)
        failure = ENOENT; /* the end */
    STACK_UNWIND_STRICT(readdirp, frame, count, failure, &list, reply);
    if (reply)
        dict_unref(reply);
    gf_dirent_free(&list);
    return 0;
}

static struct iobuf *
make_pattern(xlator_t *this)
{
    struct iobuf *iobuf = iobuf_get2(this->ctx->iobuf_pool, READ_MAX + PERIOD);

    for (size_t i = 0; iobuf && i < READ_MAX + PERIOD; i++)
        ((unsigned char *)iobuf_ptr(iobuf))[i] = i % PERIOD;
    return iobuf;
}

static void
make_iatt(struct iatt *buf)
{
    struct stat stat = {
        .st_size = READ_MAX,
        .st_blksize = 4096,
        .st_blocks = READ_MAX / 512,
        .st_nlink = 1,
        .st_mode = S_IFREG | 0644,
        .st_atime = 1000000000,
        .st_mtime = 1000000000,
        .st_ctime = 1000000000,
    };

    iatt_from_stat(buf, &stat);
    buf->ia_flags |= IATT_GFID;
}

static int32_t
sink_reconfigure(xlator_t *this, dict_t *options)
{
    struct sink *sink = this->private;

    sink->fail = xl_option_number(options, "fail", 0);
    sink->step = xl_option_number(options, "fail-step", 0);
    sink->fields = xl_option_switch(options, "fields", false);
    sink->xdata = xl_option_switch(options, "xdata", false);
    sink->marks = xl_option_switch(options, "marks", false);
    return 0;
}

static int32_t
sink_init(xlator_t *this)
{
    struct sink *sink = xl_alloc(sizeof *sink);

    this->private = sink;
    make_iatt(&sink->iatt);
    sink->pattern = make_pattern(this);
    return sink->pattern ? sink_reconfigure(this, this->options) : -1;
}

static void
sink_fini(xlator_t *this)
{
    struct sink *sink = this->private;

    this->private = NULL;
    if (sink && sink->pattern)
        iobuf_unref(sink->pattern);
    free(sink);
}

static int
sink_notify(xlator_t *this, int32_t event, void *data, ...)
{
    if (event == GF_EVENT_PARENT_UP)
        return default_notify(this, GF_EVENT_CHILD_UP, data);
    if (event == GF_EVENT_PARENT_DOWN)
        return default_notify(this, GF_EVENT_CHILD_DOWN, data); /* glfs_fini waits for it */
    return 0;
}

static void
dump_count(char *name, const struct mem_pool *pool)
{
    gf_proc_dump_write(name, "%" PRId64, (int64_t)GF_ATOMIC_GET(((struct mem_pool *)pool)->active));
}

/* GlusterFS keeps these pools on no list that it dumps. */
static int32_t
sink_dump(xlator_t *this)
{
    glusterfs_ctx_t *ctx = this->ctx;
    call_pool_t *calls = ctx->pool;

    gf_proc_dump_add_section("xlator.tests.sink.%s", this->name);
    dump_count("dicts", ctx->dict_pool);
#if GF_GLUSTER_SERIES < 11
    dump_count("dict-pairs", ctx->dict_pair_pool);
#endif
    dump_count("dict-data", ctx->dict_data_pool);
    dump_count("frames", calls->frame_mem_pool);
    dump_count("stacks", calls->stack_mem_pool);
    return 0;
}

static struct xlator_cbks cbks;
static struct xlator_dumpops dumpops = {.priv = sink_dump};

XL_EXPORT xlator_api_t xlator_api = {
    .identifier = "sink",
    .category = GF_EXPERIMENTAL,
    .op_version = {1},
    .init = sink_init,
    .fini = sink_fini,
    .reconfigure = sink_reconfigure,
    .notify = sink_notify,
    .fops = &sink_fops,
    .cbks = &cbks,
    .dumpops = &dumpops,
};
