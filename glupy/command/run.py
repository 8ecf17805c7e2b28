"""`glupy run`: a directory, mounted through a translator, until Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from glupy.command import machine, mounting, output, showing, sources
from glupy.command.mounting import Mounting, Wish
from glupy.command.problem import Problem
from glupy.command.session import Session, mount_points


@click.command(short_help="Mount a directory through a translator, until Ctrl-C.")
@click.argument("file")
@click.argument("directory", required=False)
@click.argument("mountpoint", required=False)
@click.option("-o", "options", multiple=True, metavar="NAME=VALUE",
              help="Give the translator an option, as `option NAME VALUE` in a volfile does. May be repeated.")
@click.option("--brick", is_flag=True, help="Put the translator where bricks have it: in a glusterfsd of its own, "
              "above storage/posix and below io-threads, with a client on top that has the mount.")
@click.option("--trace", is_flag=True, help="Print each operation as strace would: as it comes to the translator "
              "(above), and as the translator hands it on (below).")
@click.option("--reload", is_flag=True, help="Load FILE anew whenever it changes, and of a package all its modules, without "
              "unmounting: new operations run the new code. A version that does not load changes nothing; what is wrong with "
              "it is printed.")
@click.option("-v", "--verbose", is_flag=True, help="Print all of GlusterFS's log, its own notes too.")
@output.json_option
def command(file: str, directory: str | None, mountpoint: str | None, options: Sequence[str], brick: bool, trace: bool,
            reload: bool, verbose: bool, as_json: bool) -> None:
    """Mount DIRECTORY through the translator in FILE on MOUNTPOINT, and print the log until Ctrl-C or SIGTERM; then
    unmount. This takes root.

    A MOUNTPOINT that is left out is a new folder, and so is a DIRECTORY; both are removed at the end, with all that
    is in them. A DIRECTORY that is given stays as it is, except that GlusterFS keeps a folder .glusterfs and extended
    attributes trusted.* in it. It has to be in a file system that has these, such as ext4, xfs and btrfs.

    Once the mount works, one line on standard output says where it is; with --json that line is an object with
    mountpoint, directory, name and processes. Everything else goes to standard error: the translator's own log entries,
    and GlusterFS's warnings and errors.

    FILE may be a script: with `#!/usr/bin/env -S glupy run` as its first line and the mode of a program it is run by
    its name.
    """
    machine.need_root("glupy run")
    source = sources.named(file)
    sources.check_found(source)
    sources.check_trusted(source)
    wish = Wish(source, _options(options), _directory(directory), _mountpoint(mountpoint, directory), brick, trace,
                reload)
    gluster = machine.ready()
    log = showing.Terminal(source.name, mounting.TRACES, verbose)
    with _stop_signals() as stop, Session() as session, Mounting(wish, gluster, session, log, stop) as mount:
        if mount.comes_up():
            _announce(mount, as_json)
        mount.wait_until_over()


def _options(given: Sequence[str]) -> dict[str, str]:
    """The options of the command line, by name."""
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name or not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
            raise click.UsageError(f"-o {text} is not NAME=VALUE")
        if name.replace("_", "-") in ("module", "module-name"):
            raise click.UsageError(f"-o {name} is what FILE says already; leave it out")
        found[name] = value
    return found


def _directory(given: str | None) -> Path | None:
    """The directory to serve. Raises Problem for one that cannot be a brick."""
    if given is None:
        return None
    path = Path(os.path.abspath(given))
    if not path.is_dir():
        raise Problem(f"{given} is no directory; mkdir it, or leave it out for a temporary one")
    try:
        if b"trusted.glusterfs.volume-id" in map(os.fsencode, os.listxattr(path)):
            raise Problem(f"{given} is a brick of a volume, which glupy run must not serve beside it; take another "
                          "directory, or leave it out for a temporary one")
    except OSError:
        pass  # the file system has no attributes at all, which is what comes next
    mounting.check_attributes(path)
    return path


def _mountpoint(given: str | None, directory: str | None) -> Path | None:
    """Where to mount. Raises Problem where that does not go."""
    if given is None:
        return None
    path = Path(os.path.realpath(given))
    if str(path) in mount_points():
        raise Problem(f"{given} is a mount point already; umount {given}, or choose another")
    if not path.is_dir():
        raise Problem(f"{given} is no directory to mount on; mkdir it, or leave it out for a temporary one")
    served = Path(os.path.realpath(directory or "/nowhere"))
    if path.is_relative_to(served) or served.is_relative_to(path):
        raise Problem(f"{given} and {directory} lie in each other, so the mount would hide what it shows, or show "
                      "itself; choose a mount point elsewhere")
    return path


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C, SIGTERM and the end of the terminal set."""
    stop = threading.Event()

    def heard(number: int, frame: FrameType | None) -> None:
        stop.set()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    old = [signal.signal(number, heard) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, old):
            signal.signal(number, handler)


def _announce(mount: Mounting, as_json: bool) -> None:
    """One line, for people or programs."""
    name = mount.wish.source.name
    if as_json:
        click.echo(json.dumps({"mountpoint": str(mount.mountpoint), "directory": str(mount.directory), "name": name,
                               "processes": [server.process.pid for server in mount.servers]}))
    else:
        click.echo(f"{mount.mountpoint} shows {mount.directory} through {name}; Ctrl-C unmounts it")
