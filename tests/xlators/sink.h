/* What the generated fops of sink need of its hand-written part. */
#ifndef XL_SINK_H
#define XL_SINK_H

#include "common.h"

#define SINK_TARGET "sink-target"

/* The errno every fop fails with, or 0. */
int32_t sink_failure(xlator_t *this);

/* Whether fops fail, and without fields. */
bool sink_bare(xlator_t *this);

/* Attributes of an object. `type` is IA_INVAL where the fop does not say: then the inode's, else the one its name means.
 * A new object gets a random gfid. */
void sink_iatt(xlator_t *this, struct iatt *buf, loc_t *loc, inode_t *inode, ia_type_t type);

/* Attributes of the directory a loc names an entry of. */
void sink_parent_iatt(xlator_t *this, struct iatt *buf, loc_t *loc);

void sink_statvfs(struct statvfs *buf);

/* The reply's xdata, for dict_unref where not NULL: NULL, or with option `xdata on` {"sink": fop}. */
dict_t *sink_xdata(xlator_t *this, const char *fop);

/* Under option `marks on`, leave a mark in a request's xdata, which may be NULL. */
void sink_mark(xlator_t *this, dict_t *xdata);

/* Hand-written fops: those whose reply is more than a few fixed values. */
int32_t sink_lookup(call_frame_t *frame, xlator_t *this, loc_t *loc, dict_t *xdata);
int32_t sink_readv(call_frame_t *frame, xlator_t *this, fd_t *fd, size_t size, off_t offset, uint32_t flags,
                   dict_t *xdata);
int32_t sink_readdir(call_frame_t *frame, xlator_t *this, fd_t *fd, size_t size, off_t offset, dict_t *xdata);
int32_t sink_readdirp(call_frame_t *frame, xlator_t *this, fd_t *fd, size_t size, off_t offset, dict_t *xdata);

extern struct xlator_fops sink_fops;

#endif
