"""The mount of one `glupy run`: its volfiles and configuration, its processes from the first to the last."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import click

from glupy.command import graphs
from glupy.command.logs import Entry
from glupy.command.machine import Gluster
from glupy.command.problem import Problem
from glupy.command.servers import PATIENCE, Server, environment
from glupy.command.session import Session
from glupy.command.showing import Terminal
from glupy.command.sources import Source
from glupy.command.watching import Watch
from glupy.loading import finding
from glupy.volfiles import Layer

#: The volumes of the trace: above the translator and below it.
TRACES = ("above", "below")

#: What glusterfs exits with when somebody unmounts: 0, or as after SIGTERM, that signal's number.
_UNMOUNTED = (0, signal.SIGTERM)

#: Bytes of a socket's name (sun_path of unix(7), less the NUL).
_LONGEST_SOCKET = 107

#: Seconds between two looks at the logs and processes.
PACE = 0.03


@dataclass(frozen=True)
class Wish:
    """What the command line asks for."""

    source: Source
    options: Mapping[str, str]
    directory: Path | None
    mountpoint: Path | None
    brick: bool
    trace: bool
    reload: bool


class Mounting:
    """A mount that lasts as long as the `with`, or until it is told to stop.

    servers  its processes: the one that mounts, and after it a brick that it asks
    """

    def __init__(self, wish: Wish, gluster: Gluster, session: Session, log: Terminal, stop: threading.Event) -> None:
        self.wish = wish
        self.gluster = gluster
        self.session = session
        self.log = log
        self.stop = stop
        self.directory = wish.directory or session.folder("directory")
        self.mountpoint = wish.mountpoint or session.folder("mnt")
        check_attributes(self.directory)
        self.environment = environment(_configuration(wish, session))
        self.servers: list[Server] = []
        self.watch = Watch(wish.source) if wish.reload else None

    def __enter__(self) -> Mounting:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        for server in self.servers:
            if not server.end():
                click.echo(f"process {server.process.pid} did not end in {PATIENCE} seconds and was killed", err=True)
        self.log.show(self.servers, ended=True)

    def comes_up(self) -> bool:
        """Start everything, and wait until the mount answers; False: it was told to stop first. Raises Problem."""
        layers = _layers(self.wish)
        if self.wish.brick:
            socket = _socket(self.session)
            brick = self._start("brick", self.gluster.server, graphs.brick(self.directory, layers, socket))
            while not brick.log.graph_is_up:  # a client that comes earlier is refused, and tries again after seconds
                if not self._goes_on():
                    return False
            top = graphs.client(socket)
        else:
            top = graphs.single(self.directory, layers)
        mount = self._start("mount", self.gluster.client, top, self.mountpoint)
        while not mount.mounted:
            if not self._goes_on():
                return False
        return self._answers()

    def wait_until_over(self) -> None:
        """Until it is told to stop, or somebody unmounts. Raises Problem where a process dies."""
        while self._goes_on():
            if self.watch:
                self.watch.look(self.mountpoint)

    def _start(self, name: str, program: str, layers: Sequence[Layer], mountpoint: Path | None = None) -> Server:
        volfile = self.session.path / f"{name}.vol"
        volfile.write_text(graphs.volfile(layers))
        server = Server(program, volfile, self.session.path / f"{name}.log", self.environment, mountpoint)
        self.servers.insert(0, server)
        return server

    def _answers(self) -> bool:
        """Wait until the mount answers a first question, for as long as the translator takes."""
        answered = threading.Event()

        def ask() -> None:
            try:
                os.stat(self.mountpoint)
            except OSError:
                return  # the graph has failed, and its process will end
            answered.set()

        while self._goes_on():
            if answered.is_set():
                return True
            if not any(thread.name == "ask" for thread in threading.enumerate()):
                threading.Thread(target=ask, name="ask", daemon=True).start()
        return False

    def _goes_on(self) -> bool:
        """Show what is new, and see whether all is well. Raises Problem."""
        stopped = self.stop.wait(PACE)
        entries = self.log.show(self.servers)
        for server in self.servers:
            if not stopped and not server.running:
                entries += self.log.show(self.servers, ended=True)
                _check_refusal(entries)
                if server.mountpoint and server.process.returncode in _UNMOUNTED:
                    return False
                raise Problem(f"the process that {'mounts' if server.mountpoint else 'is the brick'} {server.ending}; "
                              "its log is above, and all of it with --verbose")
        _check_refusal(entries)
        return not stopped


def check_attributes(path: Path) -> None:
    """See to it that storage/posix can keep what it keeps in extended attributes. Raises Problem."""
    try:
        os.setxattr(path, "trusted.glupy.test", b"1")
        os.removexattr(path, "trusted.glupy.test")
    except OSError as error:
        raise Problem(f"{path} cannot be a brick: its file system takes no extended attributes trusted.* "
                      f"({error.strerror}); take a directory on ext4, xfs or btrfs") from None


def _socket(session: Session) -> Path:
    """Where the client finds the brick: in a folder of this user's alone. Raises Problem."""
    path = session.folder("private", 0o700) / "socket"
    if len(os.fsencode(path)) > _LONGEST_SOCKET:
        raise Problem(f"{path} is too long a name for a socket; name a shorter folder in the environment variable "
                      "GLUPY_TMPDIR")
    return path


def _layers(wish: Wish) -> list[Layer]:
    """The translator, between two of the trace's if they are wanted, and below one that has it loaded anew."""
    layer = Layer(wish.source.name, "features/glupy", {"module": wish.source.name, **wish.options})
    layers = _traced(layer) if wish.trace else [layer]
    if wish.reload:
        layers.append(Layer("on-reload", "features/glupy", {"module": "glupy_reload", "layer": layer.name}))
    return layers


def _traced(layer: Layer) -> list[Layer]:
    above, below = (Layer(name, "features/glupy", {
        "module": "glupy_trace",
        "on-error": "pass",  # what it cannot show must not change anything
    }) for name in TRACES)
    return [below, layer, above]


def _configuration(wish: Wish, session: Session) -> Path:
    """A local configuration in which the file's folder comes before those that are configured here."""
    here = finding.configuration()
    folders = [wish.source.folder, *here.folders]
    if wish.trace or wish.reload:
        folders.insert(0, Path(__file__).resolve().parent / "layers")
    for folder in folders:
        if ":" in str(folder) or "\n" in str(folder):
            raise Problem(f"{folder} has a colon in its name, and cannot be in a list of folders; rename it")
    text = f"[glupy]\ntranslators = {':'.join(map(str, folders))}\n"
    path = session.path / "glupy.conf"
    path.write_text(text + (f"venv = {here.venv}\n" if here.venv else "") + f"store = {session.path / 'store'}\n")
    return path


def _check_refusal(entries: Sequence[Entry]) -> None:
    """Raises Problem, with the loader's own words, where a translator is not loaded."""
    for entry in entries:
        _, refused, reason = entry.text.partition(" is not loaded: ")
        if entry.level == "E" and refused:
            raise Problem(reason)
