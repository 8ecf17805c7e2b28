/* ground: the floor of a graph that has no storage: every fop fails with EOPNOTSUPP, and it is up as soon as it is asked.
 *
 * glupy.testing puts its file system in memory, a translator in Python, on it: such a one needs a child, and what it does not
 * define is answered here, honestly, by one that cannot do it.
 *
 * Over a child it is another one, which says who asks: caller.h.
 *
 * Two things it can: an ipc of GROUND_FORGET has the graph's inode table forget what nobody uses. A test that looks for what is
 * still in use would otherwise see the directories of all inodes that the table merely remembers. One of GROUND_INVENTORY tells
 * in xdata what is in use: by number, the text `GFID FDS CONTEXTS NAME`. */
#ifndef GROUND_H
#define GROUND_H

#include "../core/base/gluster.h"

/* glupy/testing/stage.py has these numbers, too. */
#define GROUND_FORGET 0x676c7570
#define GROUND_INVENTORY 0x676c7573

int32_t ground_ipc(call_frame_t *frame, xlator_t *this, int32_t op, dict_t *xdata);

/* What is in use, for xdata; NULL without memory. */
dict_t *ground_inventory(inode_table_t *table);

extern struct xlator_fops ground_fops;

#endif
