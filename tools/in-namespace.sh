#!/bin/sh
# in-namespace.sh COMMAND [ARGUMENT...]: run a command where GlusterFS finds the staged glupy, and leave no trace.
#
# GlusterFS loads translators from one directory that is compiled into it. The command runs in a mount namespace of its own,
# in which a farm of links stands over that directory: to everything that is there on the machine, and to what
# GLUPY_STAGE holds: features/glupy.so, user/NAME.so for each translator NAME.py or NAME/, and the test translators (glupytest).
# What was staged shows under a folder of root's there, so that glupy trusts it wherever the checkout lies.
# A process namespace sees to it that no process and so no mount outlives the command. The farm is of memory and can be
# written to: tests add to user/ what they need.
set -eu

if [ "${1-}" != --inside ]; then
    undo=:
    trap 'eval "$undo"' EXIT
    if [ ! -e /proc/self ]; then # a root that was only unpacked, entered by nothing but chroot
        mount -t proc proc /proc
        undo="umount /proc; $undo"
    fi
    if [ ! -e /dev/fuse ]; then
        mknod -m 666 /dev/fuse c 10 229
        undo="rm -f /dev/fuse; $undo"
    fi
    mkdir -p /run/gluster # GlusterFS's own, which only systemd makes
    farm=/run/glupy.$$
    mkdir "$farm"
    undo="rmdir $farm; $undo"
    status=0
    unshare --mount --propagation unchanged --pid --fork --kill-child "$0" --inside "$farm" "$@" || status=$?
    exit "$status"
fi
farm=$2
shift 2

# Nothing that is mounted from here on may show outside. In a chroot `/' is no mount point, and only a mount point can be
# made private: entering our own namespace once more leads out to its real root, for this one command.
nsenter --mount=/proc/self/ns/mnt mount --make-rprivate /
mount -t proc proc /proc # of the new process namespace

: "${GLUPY_STAGE:?has to name the directory of the staged glupy.so}"
xlators=$(/usr/sbin/glusterfsd --print-xlatordir)
checkout=${GLUPY_STAGE%/*/stage/*}
mount -t tmpfs -o mode=755 glupy-farm "$farm"
mkdir "$farm/original" "$farm/xlator" "$farm/glupy"
mount --bind "$xlators" "$farm/original"
mount --bind "$GLUPY_STAGE" "$farm/glupy"
GLUPY_STAGE=$farm/glupy
PYTHONPATH=$GLUPY_STAGE/python
PATH=$GLUPY_STAGE/bin:$PATH
export GLUPY_STAGE PYTHONPATH PATH

for entry in "$farm"/original/*; do
    name=${entry##*/}
    case $name in
    features | user)
        mkdir "$farm/xlator/$name"
        find "$entry" -mindepth 1 -maxdepth 1 -exec ln -s -t "$farm/xlator/$name" {} +
        ;;
    *) ln -s "$entry" "$farm/xlator/$name" ;;
    esac
done
mkdir -p "$farm/xlator/features" "$farm/xlator/user"
ln -sfn "$GLUPY_STAGE/glupy.so" "$farm/xlator/features/glupy.so"
ln -sfn "$GLUPY_STAGE/ground.so" "$farm/xlator/features/glupy-ground.so"
for translator in "$GLUPY_STAGE"/translators/*.py "$GLUPY_STAGE"/translators/*/__init__.py \
    "$checkout"/tests/translators/*.py; do
    [ -e "$translator" ] || continue
    name=${translator%/__init__.py}
    name=${name##*/}
    ln -sfn "$GLUPY_STAGE/glupy.so" "$farm/xlator/user/${name%.py}.so"
done
for folder in glupytest glupybench; do
    [ ! -d "$GLUPY_STAGE/$folder" ] || ln -s "$GLUPY_STAGE/$folder" "$farm/xlator/$folder"
done
mount --bind "$farm/xlator" "$xlators"
mount -t tmpfs -o mode=755 glupy-run /run/gluster # statedumps, sockets

status=0
"$@" || status=$?
exit "$status"
