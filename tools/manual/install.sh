#!/bin/sh
# install.sh PYTHON TOOL HOME MAN HTML VERSION: what meson runs at the end of an installation. HOME, MAN and HTML are paths
# below the prefix.
set -eu
prefix=${MESON_INSTALL_DESTDIR_PREFIX:?is set by meson}
PYTHONPATH=$prefix/$3 exec "$1" -B "$2" "$prefix/$4" "$prefix/$5" --version "$6"
