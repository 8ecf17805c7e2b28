"""The base class of every translator."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from glupy import _core, common, live, logs, option
from glupy.events import Event
from glupy.shared import Shared

if TYPE_CHECKING:
    from glupy._core import Child, Fd, Inode, InodeTable, Instance, Task
    from glupy._fops import Fops
else:
    Fops = object  # a fop that is not defined is not ours: GlusterFS's default stands in its place


class _NoChild:
    """What a translator without subvolumes finds where others have a child.

    Stands on the class, behind the attribute of the instance. A __getattr__ could say the same, but where a class has
    one, the interpreter looks every attribute of its instances up the long way.
    """

    def __get__(self, translator: Translator | None, cls: type) -> _NoChild:
        if translator is None:
            return self
        raise AttributeError(f"{translator.name} has no child: its volume in the volfile has no subvolumes")


class Translator(Fops):
    """One layer of a GlusterFS graph.

    A method named after a file operation (fop) answers it: it takes frame and the arguments of GlusterFS's own
    prototype (xlator.h) and returns a reply, raises OSError, returns a wind that it did not await, or, if it is a plain
    `def`, None to pass the call on unchanged. Operations without a method never enter Python.

    child, children  the layers below, one method per fop each; child is the first
    name             the volume's name in the volfile
    options          what the volfile gives, as text; Option declarations are the checked form
    common           the options that every translator has (module, log-level, on-error, enabled, budget, interpreters)
    log              a logging.Logger; what it is given goes to GlusterFS's log under this translator's name
    interpreter      which of the interpreters that serve this translator this is (option interpreters): 0, 1, ...; a task
                     that is to run once, and not in each, is begun in 0, which there always is
    shared           a Shared that all of them have in common, and nobody else; it ends with the graph
    inode_ctx        on the class: what makes the `ctx` of an inode that has none yet, a callable without arguments
    fd_ctx           the same for fds; None (the default): such a ctx reads as None
    fops             the fops that any_fop handles, as far as they have no method of their own; None: all. Given with
                     the class, ``class Trace(Translator, fops=glupy.CHANGING)``, inherited, and may be set in init()

    A method any_fop(self, frame, call) handles the fops in `fops` that have no method of their own.
    """

    if TYPE_CHECKING:
        child: Child
    else:
        child = _NoChild()
    children: tuple[Child, ...]
    name: str
    options: dict[str, str]
    common: common.Common
    log: logging.Logger
    interpreter: int
    shared: Shared
    inode_ctx: ClassVar[Callable[[], Any] | None] = None
    fd_ctx: ClassVar[Callable[[], Any] | None] = None
    fops: Iterable[str] | None = None

    def __init_subclass__(cls, *, fops: Iterable[str] | None = None, **others: Any) -> None:
        super().__init_subclass__(**others)
        if fops is not None:
            cls.fops = fops

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._changes = live.Changes()
        self.name = instance.name
        self.children = instance.children
        if instance.children:
            self.child = instance.children[0]
        self.log = logs.logger_for(instance)
        self.interpreter = instance.interpreter
        self.shared = Shared(instance.space)
        vars(self).update(self._read(instance.options))
        logs.use_level(self.log, self.common.log_level)

    def _read(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """What a volfile's options are, by attribute. Raises OptionError."""
        own = option.declared(type(self))
        values, rest = common.split(texts, own)
        return {**option.read(own, rest, type(self).__name__), "options": dict(texts), "common": values}

    def init(self) -> Coroutine[Any, Any, None] | None:
        """Called once, with options and children in place, before the first operation. An exception stops the mount.
        May be a coroutine, but children answer only after CHILD_UP."""
        return None

    def fini(self) -> None:
        """Called once, after the last operation: when the graph has been told to go (PARENT_DOWN) and no request is left
        in this translator, at the latest when GlusterFS takes the graph down. Operations that come later pass by."""
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

    def client_disconnect(self, client: str) -> Coroutine[Any, Any, None] | None:
        """On a brick: a client's connection has ended (xlator_cbks.client_disconnect). client is as in frame.client.

        In a process that serves several bricks each of them is told of the clients of all.
        """
        return None

    def client_destroy(self, client: str) -> Coroutine[Any, Any, None] | None:
        """On a brick: nothing of a client is under way any more (xlator_cbks.client_destroy)."""
        return None

    @property
    def itable(self) -> InodeTable | None:
        """The inode table of this graph; None until the graph is up."""
        return self._instance.itable

    def spawn(self, coro: Coroutine[Any, Any, Any]) -> Task:
        """Run a coroutine in the background; what it raises is logged. It begins when the first child has come up
        (CHILD_UP), and ends with the translator at the latest. RuntimeError once the graph is going."""
        return self._instance.spawn(coro)

    def every(self, seconds: float, function: Callable[[], object]) -> Task:
        """Call a function again and again in the background, first after that many seconds, then as long after each end.

        A coroutine function runs as one, and may wind; any other is called on a thread for what blocks, as by
        to_thread(). What it raises is logged, and it is called again. It ends with the translator, or with cancel() of
        the task that is returned. ValueError where seconds is not above 0.
        """
        if not seconds > 0:
            raise ValueError(f"every(): expected seconds above 0, not {seconds!r}")
        task = _repeat(self._instance, seconds, function)
        try:
            return self.spawn(task)
        except BaseException:
            task.close()
            raise

    def notify_up(self, event: Event | int) -> None:
        """Send an event to the layers above, as xlator_notify() of xlator.h does, as one of this translator's. It has been
        dealt with on return. ValueError for a number that is no event."""
        self._instance.notify_up(event)

    def notify_down(self, event: Event | int) -> None:
        """The same to the layers below."""
        self._instance.notify_down(event)


#: What glupy calls besides fops: name, and the number of arguments after self.
HOOKS = {
    "init": (), "fini": (), "notify": ("event", "data"), "reconfigured": ("changed",), "forget": ("inode",), "release": ("fd",),
    "releasedir": ("fd",), "client_disconnect": ("client",), "client_destroy": ("client",),
}

#: Those of them that are called only where a class defines them.
OPTIONAL = ("forget", "release", "releasedir", "client_disconnect", "client_destroy")

#: What makes a context: class attributes.
FACTORIES = ("inode_ctx", "fd_ctx")

#: Those that nobody waits for: they are no coroutines.
PLAIN_HOOKS = ("fini", "notify")


async def _repeat(instance: Instance, seconds: float, function: Callable[[], Any]) -> None:
    """The task of every()."""
    while True:
        await _core.sleep(seconds)
        try:
            if inspect.iscoroutinefunction(function):
                await function()
            else:
                await _core.to_thread(function)
        except Exception as error:
            instance.report(f"every {seconds} s, {getattr(function, '__name__', 'a function')}", error)
