/* The fops that the bench sends, each with arguments as FUSE gives them. */
#include "driver.h"

#include <fcntl.h>

#define CALLBACK(fop, expected, ...)                                                                                   \
    static int32_t fop##_cbk(call_frame_t *frame, void *cookie, xlator_t *this, int32_t op_ret, int32_t op_errno,      \
                             __VA_ARGS__)                                                                              \
    {                                                                                                                  \
        bench_answered(frame, cookie, op_ret, op_errno, expected);                                                     \
        return 0;                                                                                                      \
    }

#define SEND(fop, ...)                                                                                                 \
    STACK_WIND_COOKIE(frame, fop##_cbk, sender, FIRST_CHILD(frame->this), FIRST_CHILD(frame->this)->fops->fop,         \
                      __VA_ARGS__)

CALLBACK(lookup, ENOENT, inode_t *inode, struct iatt *buf, dict_t *xdata, struct iatt *postparent)
CALLBACK(stat, 0, struct iatt *buf, dict_t *xdata)
CALLBACK(open, 0, fd_t *fd, dict_t *xdata)
CALLBACK(create, 0, fd_t *fd, inode_t *inode, struct iatt *buf, struct iatt *preparent, struct iatt *postparent,
         dict_t *xdata)
CALLBACK(unlink, 0, struct iatt *preparent, struct iatt *postparent, dict_t *xdata)
CALLBACK(readv, 0, struct iovec *vector, int32_t count, struct iatt *stbuf, struct iobref *iobref, dict_t *xdata)
CALLBACK(writev, 0, struct iatt *prebuf, struct iatt *postbuf, dict_t *xdata)
CALLBACK(readdirp, 0, gf_dirent_t *entries, dict_t *xdata)
CALLBACK(getxattr, 0, dict_t *dict, dict_t *xdata)

static void
send_lookup(struct bench_sender *sender, call_frame_t *frame)
{
    SEND(lookup, &sender->file, sender->xdata);
}

static void
send_lookup_missing(struct bench_sender *sender, call_frame_t *frame)
{
    SEND(lookup, &sender->missing, sender->xdata);
}

static void
send_stat(struct bench_sender *sender, call_frame_t *frame)
{
    SEND(stat, &sender->file, NULL);
}

static void
send_open(struct bench_sender *sender, call_frame_t *frame)
{
    SEND(open, &sender->file, O_RDWR, sender->fd, sender->xdata);
}

static void
send_create(struct bench_sender *sender, call_frame_t *frame)
{
    SEND(create, &sender->fresh, O_RDWR | O_CREAT, 0100644, 022, sender->fresh_fd, sender->xdata);
}

static void
send_unlink(struct bench_sender *sender, call_frame_t *frame)
{
    SEND(unlink, &sender->file, 0, sender->xdata);
}

static void
send_readv(struct bench_sender *sender, call_frame_t *frame)
{
    SEND(readv, sender->fd, sender->fop->size, 0, 0, NULL);
}

static void
send_writev(struct bench_sender *sender, call_frame_t *frame)
{
    SEND(writev, sender->fd, &sender->vector, 1, 0, 0, sender->iobref, NULL);
}

static void
send_readdirp(struct bench_sender *sender, call_frame_t *frame)
{
    SEND(readdirp, sender->directory_fd, 4096, 0, NULL);
}

static void
send_getxattr(struct bench_sender *sender, call_frame_t *frame)
{
    SEND(getxattr, &sender->file, "user.bench", NULL);
}

static const struct bench_fop bench_fops[] = {
    {"lookup", GF_FOP_LOOKUP, 0, send_lookup},
    {"lookup_missing", GF_FOP_LOOKUP, 0, send_lookup_missing},
    {"stat", GF_FOP_STAT, 0, send_stat},
    {"open", GF_FOP_OPEN, 0, send_open},
    {"create", GF_FOP_CREATE, 0, send_create},
    {"unlink", GF_FOP_UNLINK, 0, send_unlink},
    {"readv4k", GF_FOP_READ, 4096, send_readv},
    {"readv128k", GF_FOP_READ, 131072, send_readv},
    {"writev4k", GF_FOP_WRITE, 4096, send_writev},
    {"writev128k", GF_FOP_WRITE, 131072, send_writev},
    {"readdirp", GF_FOP_READDIRP, 0, send_readdirp},
    {"getxattr", GF_FOP_GETXATTR, 0, send_getxattr},
};

const struct bench_fop *
bench_fop(const char *name)
{
    for (size_t i = 0; i < sizeof(bench_fops) / sizeof(*bench_fops); i++)
        if (strcmp(bench_fops[i].name, name) == 0)
            return &bench_fops[i];
    return NULL;
}
