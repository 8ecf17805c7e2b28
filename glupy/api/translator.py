"""The base class of every translator."""

from __future__ import annotations

import dataclasses
import inspect
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, cast, overload

from glupy import _core
from glupy.api import supervision, tables, whereabouts
from glupy.api.client import Client
from glupy.api.events import Event
from glupy.api.files import Files
from glupy.api.shared import Shared
from glupy.api.store import Store
from glupy.logs import loggers
from glupy.options import common, option, tolerance

if TYPE_CHECKING:
    from glupy._core import Child, Fd, Inode, InodeTable, Instance, Task, Version
    from glupy._fops import Fops
else:
    Fops = object  # a fop that is not defined is not ours: GlusterFS's default stands in its place


T = TypeVar("T")

class _NoChild:
    """What a translator without subvolumes has in the place of a child.

    It stands in the instance, as a child does. Whatever the class has by the name of an attribute, a descriptor that
    raises or a __getattr__ that does, keeps the interpreter from remembering where the attribute is.
    """

    def __init__(self, translator: str) -> None:
        self._translator = translator

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{self._translator} has no child: its volume in the volfile has no subvolumes")

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return f"<no child of {self._translator}>"


class Translator(Fops):
    """One layer of a GlusterFS graph.

    A method named after a file operation (fop) answers it: it takes frame and the arguments of GlusterFS's own
    prototype (xlator.h) and returns a reply, raises OSError, returns a wind that it did not await, or, if it is a plain
    `def`, None to pass the call on unchanged. Operations without a method never enter Python.

    child, children  the layers below, one method per fop each; child is the first. Where there is none, child is false, and
                     what is asked of it raises AttributeError
    name             the volume's name in the volfile
    options          what the volfile gives, as text; Option declarations are the checked form
    common           the options that every translator has (module, log-level, on-error, enabled, budget, patience,
                     profile, interpreters, reload)
    log              a logging.Logger; what it is given goes to GlusterFS's log under this translator's name
    interpreter      which of the interpreters that serve this translator this is (option interpreters): 0, 1, ...; a task
                     that is to run once, and not in each, is begun in 0, which there always is
    shared           a Shared that all of them have in common, and nobody else; it ends with the graph
    files            a Files: whole operations on files by self.child, for the translator itself
    store            a Store: bytes by name, on this machine's disk, that outlast the process
    volume, brick_path, side
                     where it stands
    inode_ctx        on the class: what makes the `ctx` of an inode that has none yet, a callable without arguments
    fd_ctx           the same for fds; None (the default): such a ctx reads as None
    fops             the fops that any_fop handles, as far as they have no method of their own; None: all. Given with
                     the class, ``class Trace(Translator, fops=glupy.CHANGING)``, inherited, and may be set in init()

    A method any_fop(self, frame, call) handles the fops in `fops` that have no method of their own.
    """

    child: Child
    children: tuple[Child, ...]
    files: Files
    name: str
    options: dict[str, str]
    common: common.Common
    store: Store
    log: logging.Logger
    interpreter: int
    shared: Shared
    inode_ctx: ClassVar[Callable[[], Any] | None] = None
    fd_ctx: ClassVar[Callable[[], Any] | None] = None
    fops: Iterable[str] | None = None
    _glupy_ignored: dict[str, str]  # by option: what is wrong with the volfile's, and not obeyed
    _glupy_lasting: dict[str, str]  # the same, found while it was loaded, for as long as it lives
    _glupy_side: whereabouts.Side | None  # once an operation has come, so that the graph is complete
    _glupy_writers: list[Any]  # its Writers, which end with it
    _glupy_version: Version | None  # which loading of the file it comes from

    def __init_subclass__(cls, *, fops: Iterable[str] | None = None, **others: Any) -> None:
        super().__init_subclass__(**others)
        if fops is not None:
            cls.fops = fops

    def __init__(self, instance: Instance, texts: Mapping[str, str] | None = None) -> None:
        self._instance = instance
        self._glupy_version = instance.version
        self._glupy_side = None
        self._glupy_writers = []
        self.name = instance.name
        self.children = instance.children
        self.child = instance.children[0] if instance.children else cast("Child", _NoChild(self.name))
        self.files = Files(self)
        self.log = loggers.logger_for(instance)
        self.interpreter = instance.interpreter
        self.shared = Shared(instance.space)
        self._glupy_lasting = {}
        # A dictionary that shares its keys with none: CPython 3.11 and 3.12 make one that does of what an object has inline
        # as soon as vars() is asked for it, and in such a one they remember no attribute's place.
        self.__dict__ = {**vars(self), **self._glupy_values(instance.options if texts is None else texts)}
        loggers.use_level(self.log, self.common.log_level)

    def _glupy_values(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """What a volfile's options are, by attribute; `_glupy_ignored` is what was wrong with them, by option. Raises
        OptionError where that is not tolerated."""
        own = option.declared(type(self))
        last = {**vars(self), **(vars(self.common) if "common" in vars(self) else {})}
        tolerated = tolerance.for_type(self._instance.type, last)
        values, rest = common.split(texts, own, tolerated)
        return {**option.read(own, rest, type(self).__name__, tolerated), "options": dict(texts), "common": values,
                "_glupy_ignored": tolerated.ignored if tolerated else {}}

    def _glupy_serves(self) -> bool:
        """Whether it is in a brick, asked by an operation."""
        if self._glupy_side is None:
            self._glupy_side = self.side
        return self._glupy_side == "brick"

    def _glupy_alone(self, wrong: str) -> None:
        """One interpreter serves it, whatever option interpreters says."""
        self.common = dataclasses.replace(self.common, interpreters=1)
        self._glupy_lasting["interpreters"] = f"{wrong}. One interpreter serves it"

    def init(self) -> Coroutine[Any, Any, None] | None:
        """Called once, with options and children in place, before the first operation. An exception stops the mount.
        May be a coroutine, but children answer only after CHILD_UP."""
        return None

    def fini(self) -> None:
        """Called once, after the last operation: when the graph has been told to go (PARENT_DOWN) and no request is left
        in this translator, at the latest when GlusterFS takes the graph down. Operations that come later pass by."""
        return None

    def stopping(self) -> Coroutine[Any, Any, None] | None:
        """Called once, when this translator is about to end: its graph goes, or the process (SIGTERM, umount). Children still
        answer, and operations may still come. The place to mark as clean what is kept somewhere.

        A process that exits waits 5 seconds for all of its translators. May be a coroutine, which has 3 seconds. Best
        effort: it is not called where the process is killed or crashes, so take for unclean what has no mark. fini()
        follows where GlusterFS takes the graph down, and not where the process exits.
        """
        return None

    def notify(self, event: Event | int, data: Child | None) -> bool | None:
        """Called with each event (GF_EVENT_*) that reaches this layer, from above or below, before it goes on.

        event  an Event, or the number of one that glupy does not know
        data   whom it is about, when it comes from one of self.children; else None

        Return False to keep the event: it then goes no further, unless notify_up() or notify_down() sends it later.
        PARENT_DOWN cannot be kept.
        """
        return None

    def reconfigured(self, changed: dict[str, Any]) -> Coroutine[Any, Any, None] | None:
        """Called after options have changed while the graph is up; the new values are in place.

        changed  the attributes of options whose values are new, with their old values

        An exception is logged and puts all old values back. May be a coroutine. Where several interpreters serve the
        translator, the old values come back in all of them, and those that had taken the new ones are called again.
        """
        return None

    def reloaded(self, old: Any) -> Coroutine[Any, Any, None] | None:
        """Called in a version of the file that was loaded while the graph is up (option reload), after its init() and
        right before it takes over from the one that runs.

        old  that one's object, which still serves, and whose requests inside go on with it: share what it holds
             (self.seen = old.seen) rather than copying it

        Children answer. An exception is logged, and the old version stays. May be a coroutine.
        """
        return None

    def forget(self, inode: Inode) -> Coroutine[Any, Any, None] | None:
        """Called after GlusterFS has forgotten an inode whose ctx this translator set (xlator_cbks.forget).

        The inode still says what it was: gfid, ia_type, ctx. Its gfid is null if it never came into the inode table.
        """
        return None

    def release(self, fd: Fd) -> Coroutine[Any, Any, None] | None:
        """Called after the last use of an open file whose ctx this translator set (xlator_cbks.release).

        The fd still says what it was: inode, flags, pid, anonymous, ctx.
        """
        return None

    def releasedir(self, fd: Fd) -> Coroutine[Any, Any, None] | None:
        """The same for directories (xlator_cbks.releasedir)."""
        return None

    def client_disconnect(self, client: Client) -> Coroutine[Any, Any, None] | None:
        """On a brick: a client's connection has ended (xlator_cbks.client_disconnect). client is as in frame.client.

        In a process that serves several bricks each of them is told of the clients of all.
        """
        return None

    def client_destroy(self, client: Client) -> Coroutine[Any, Any, None] | None:
        """On a brick: nothing of a client is under way any more (xlator_cbks.client_destroy)."""
        return None

    @property
    def volume(self) -> str | None:
        """The name of the volume: by the names that glusterd gives storage/posix and protocol/client, of which there has to be
        one below; on a client also by the name that the mount or program asked for. None where neither says it, as in a volfile
        written by hand. ReferenceError once the graph is gone."""
        return whereabouts.volume(self._instance)

    @property
    def brick_path(self) -> Path | None:
        """The directory of the brick: what the one storage/posix below serves. None where there is none below, as on clients of
        a volume, or several with different ones. ReferenceError once the graph is gone."""
        return whereabouts.brick_path(self._instance)

    @property
    def side(self) -> whereabouts.Side:
        """"brick": below protocol/server. "client": in a mount or a program with libgfapi. "other": in a process that works for
        the volume itself, such as the self-heal daemon or a rebalance. ReferenceError once the graph is gone."""
        return whereabouts.side(self._instance)

    @property
    def itable(self) -> InodeTable | None:
        """The inode table that the inodes of this layer's operations are in. None until there is one: on a mount until the
        graph is up, on a brick until the first client has connected. Each operation finds it there."""
        return self._instance.itable

    async def itable_ready(self) -> InodeTable:
        """Wait until there is an inode table, with its root, and give it. For what self.spawn() and self.every() run, which
        on a brick begins before the first client comes. In init() it would wait for ever."""
        return await tables.ready(self._instance)

    @overload
    def spawn(self, coro: Coroutine[Any, Any, T], *, restart: Literal["never"] = ...) -> Task[T]: ...
    @overload
    def spawn(self, coro: Callable[[], Coroutine[Any, Any, Any]], *, restart: Literal["on-failure", "always"],
              delay: float = ...) -> Task[None]: ...

    def spawn(self, coro: Any, *, restart: str = "never", delay: float = 1.0) -> Task[Any]:
        """Run a coroutine in the background; what it raises is logged, and raised in who awaits the task. It begins when the
        first child has come up (CHILD_UP), and ends with the translator at the latest. RuntimeError once the graph is
        going.

        restart  "never": it ends when it ends. "on-failure": it is begun again when it has raised. "always": whenever it
                 ends. With the last two, a function without arguments that makes the coroutine is given in its place; each
                 failure is logged and counted. ValueError for any other
        delay    seconds between an end and the next beginning; twice as many after each, 60 at most, and as at first once
                 it has run for a minute. ValueError below 0 or above 60

        One that is to run always ends when another version of the file takes over (option reload), as every() does.
        """
        if restart == "never":
            return self._instance.spawn(coro, self._glupy_version)
        supervision.checked(coro, restart, delay)
        return self._glupy_spawn(supervision.supervise(self._instance, coro, restart, delay), restart == "always")

    def _glupy_spawn(self, task: Coroutine[Any, Any, T], endless: bool) -> Task[T]:
        try:
            return self._instance.spawn(task, self._glupy_version, endless)
        except BaseException:
            task.close()
            raise

    def every(self, seconds: float, function: Callable[[], object]) -> Task[None]:
        """Call a function again and again in the background, first after that many seconds, then as long after each end.

        A coroutine function runs as one, and may wind; any other is called on a thread for what blocks, as by
        to_thread(), and if it gives a coroutine, that is run. What it raises is logged, whatever it is (SystemExit, too),
        and it is called again. It ends with the translator, when another version of its file takes over (option reload), or
        with cancel() of the task that is returned. ValueError where
        seconds is not above 0.
        """
        if not seconds > 0:
            raise ValueError(f"every(): expected seconds above 0, not {seconds!r}")
        return self._glupy_spawn(_repeat(self._instance, seconds, function), True)

    def notify_up(self, event: Event | int) -> None:
        """Send an event to the layers above, as xlator_notify() of xlator.h does, as one of this translator's. It has been
        dealt with on return. ValueError for a number that is no event."""
        self._instance.notify_up(event)

    def notify_down(self, event: Event | int) -> None:
        """The same to the layers below."""
        self._instance.notify_down(event)


#: What glupy calls besides fops: name, and the number of arguments after self.
HOOKS = {
    "init": (), "stopping": (), "fini": (), "notify": ("event", "data"), "reconfigured": ("changed",), "reloaded": ("old",),
    "forget": ("inode",), "release": ("fd",), "releasedir": ("fd",), "client_disconnect": ("client",),
    "client_destroy": ("client",),
}

#: Those of them that are called only where a class defines them.
OPTIONAL = ("forget", "release", "releasedir", "client_disconnect", "client_destroy")

#: What makes a context: class attributes.
FACTORIES = ("inode_ctx", "fd_ctx")

#: What each translator has of glupy's, and glupy or the author finds hidden where another thing has its name.
OWN = frozenset(name for name in {"_instance", *vars(Translator), *Translator.__annotations__}
                if not name.startswith("__") and name not in (*HOOKS, *FACTORIES, "fops"))

#: Those that nobody waits for: they are no coroutines.
PLAIN_HOOKS = ("fini", "notify")


async def _repeat(instance: Instance, seconds: float, function: Callable[[], Any]) -> None:
    """The task of every()."""
    while True:
        await _core.sleep(seconds)
        # In a gather, where a GeneratorExit that the function raises is not taken for the end of this task.
        _failed(instance, seconds, function, *await _core.gather(_attempt(function)))


async def _attempt(function: Callable[[], Any]) -> BaseException | None:
    """Call it; what it has raised."""
    try:
        given = function() if inspect.iscoroutinefunction(function) else await _core.to_thread(function)
        if inspect.iscoroutine(given):
            await given
    except BaseException as error:
        return error
    return None


def _failed(instance: Instance, seconds: float, function: Callable[[], Any], error: BaseException | None) -> None:
    if error is not None:
        instance.task_failed(f"every {seconds} s, {getattr(function, '__name__', 'a function')}", error)
