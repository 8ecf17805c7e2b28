/* caller: who asks. Above the translator under test it makes a frame that of somebody: pid, uid, gid, groups, lock owner, and
 * the client, which only bricks know (frame->root->client).
 *
 * It is also what storage/posix needs of a process that libgfapi made (`option storage on`): GlusterFS's daemons initialise lists
 * that it puts itself on, and it never says that it is down, for which glfs_fini() waits.
 *
 * `option client NAME`: the client that all others are.
 *
 * Who that is to be is told before, by an ipc of GROUND_CALLER, whose answer is a number that no process has. A frame with
 * that number for its pid is somebody's: what comes from libgfapi carries nothing but its ids, and a wind of Python's none. */
#ifndef GROUND_CALLER_H
#define GROUND_CALLER_H

#include "../core/base/gluster.h"

/* glupy/testing/callers.py has these numbers, too. */
#define GROUND_CALLER 0x676c7571 /* remember somebody: xdata has pid, uid, gid, groups (uint32_t each), lk-owner, client */
#define GROUND_DISCONNECT 0x676c7572 /* the client that xdata names is gone; without a name: all are */
#define GROUND_CALLERS 0x40000000 /* the first of the numbers */

/* What notify() of this layer does. */
int ground_caller_notify(xlator_t *this, int32_t event, void *data);

int ground_callers_init(xlator_t *this);
void ground_callers_fini(xlator_t *this);

/* storage/posix wants the gfids in each loc that its inodes know, which protocol/server fills in on a brick. */
void ground_fill(loc_t *loc);

/* Make it the frame of who its pid stands for, if for anybody. */
void ground_become(call_frame_t *frame, xlator_t *this);

/* True: the ipc was for us, and is answered. */
bool ground_caller_ipc(call_frame_t *frame, xlator_t *this, int32_t op, dict_t *xdata);

extern struct xlator_fops ground_caller_fops;

#endif
