/* GlusterFS's headers, and the few places where the supported series (10, 11) differ for us.
 *
 * The installed headers expect macros of a config.h that no package ships; meson.build defines them and proves, by
 * running src/build/layout_probe.c against the installed libglusterfs, that they give the layouts it was built with. */
#ifndef GLUPY_GLUSTER_H
#define GLUPY_GLUSTER_H

#include <glusterfs/xlator.h>
#include <glusterfs/defaults.h>
#include <glusterfs/stack.h>
#include <glusterfs/logging.h>
#include <glusterfs/iatt.h>
#include <glusterfs/statedump.h>
#include <glusterfs/syncop.h>
#include <glusterfs/compat-uuid.h>
#include <glusterfs/common-utils.h>
#include <glusterfs/gf-dirent.h>
#include <glusterfs/iobuf.h>
#include <glusterfs/inode.h>
#include <glusterfs/fd.h>
#include <glusterfs/dict.h>

/* Length of rchecksum's strong checksum as storage/posix and protocol/server hand it on (SHA-256). */
#define GLUPY_CHECKSUM_LEN 32

#endif
