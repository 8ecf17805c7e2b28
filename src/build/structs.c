/* The headers whose structures the classic API offers to ctypes. It is only preprocessed; tools/structs.py reads the
 * result. */
#include <sys/statvfs.h>
#include <sys/uio.h>

#include <glusterfs/xlator.h>
#include <glusterfs/client_t.h>
#include <glusterfs/dict.h>
#include <glusterfs/fd-lk.h>
#include <glusterfs/fd.h>
#include <glusterfs/gf-dirent.h>
#include <glusterfs/inode.h>
#include <glusterfs/iobuf.h>
#include <glusterfs/mem-pool.h>
#include <glusterfs/stack.h>
