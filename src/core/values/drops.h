/* References that Python objects give up.
 *
 * The last unref of an inode, fd, dict or iobref runs other translators' code (forget, release) and takes GlusterFS's
 * locks; the interpreter must not be held then. A wrapper's tp_dealloc hands its pointer over here instead; the pointers
 * are released after the thread has left the interpreter (or, on a thread that is not ours, by glupy's own thread). All
 * are called with the interpreter attached, take NULL, and never fail. */
#ifndef GLUPY_DROPS_H
#define GLUPY_DROPS_H

#include "base/gluster.h"

void glupy_drop_inode(inode_t *inode);       /* inode_unref */
void glupy_drop_fd(fd_t *fd);                /* fd_unref */
void glupy_drop_dict(dict_t *dict);          /* dict_unref */
void glupy_drop_iobref(struct iobref *ref);  /* iobref_unref */
void glupy_drop_dirent(gf_dirent_t *entry);  /* gf_dirent_entry_free; the entry is in no list */
void glupy_drop_loc(loc_t *loc);             /* loc_wipe of what *loc owns; *loc is cleared at once */

#endif
