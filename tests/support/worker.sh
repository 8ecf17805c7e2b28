#!/bin/sh
# worker.sh COMMAND [ARGUMENT...]: run a worker of pytest-xdist, which runs tests beside other workers.
#
# What the tests find under fixed names is the worker's own: ports, GlusterFS's /run/gluster with its sockets and statedumps.
# A process namespace sees to it that nothing outlives the worker, not even one that crashes.
set -eu

if [ "$1" != --inside ]; then
    # In a chroot, propagation cannot be set; it is private already.
    exec unshare --mount --net --pid --fork --kill-child --propagation unchanged "$0" --inside "$@"
fi
shift
mount -t proc proc /proc # of the new process namespace
mount -t tmpfs -o mode=755 glupy-run /run/gluster

# Not by exec: the first process of a namespace takes no signals, and has to wait for orphans.
status=0
"$@" || status=$?
exit "$status"
