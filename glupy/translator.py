"""The base class of every translator."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ClassVar

from glupy import common, logs, option

if TYPE_CHECKING:
    from glupy._core import Child, Fd, Inode, InodeTable, Instance
    from glupy._fops import Fops
else:
    Fops = object  # a fop that is not defined is not ours: GlusterFS's default stands in its place


class Translator(Fops):
    """One layer of a GlusterFS graph.

    A method named after a file operation (fop) answers it: it takes frame and the arguments of GlusterFS's own
    prototype (xlator.h) and returns a reply, raises OSError, returns a wind that it did not await, or, if it is a plain
    `def`, None to pass the call on unchanged. Operations without a method never enter Python.

    child, children  the layers below, one method per fop each; child is the first
    name             the volume's name in the volfile
    options          what the volfile gives, as text; Option declarations are the checked form
    common           the options that every translator has (module, log-level, on-error, enabled, budget)
    log              a logging.Logger; what it is given goes to GlusterFS's log under this translator's name
    inode_ctx        on the class: what makes the `ctx` of an inode that has none yet, a callable without arguments
    fd_ctx           the same for fds; None (the default): such a ctx reads as None
    """

    child: Child
    children: tuple[Child, ...]
    name: str
    options: dict[str, str]
    common: common.Common
    log: logging.Logger
    inode_ctx: ClassVar[Callable[[], Any] | None] = None
    fd_ctx: ClassVar[Callable[[], Any] | None] = None

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.name = instance.name
        self.children = instance.children
        if instance.children:
            self.child = instance.children[0]
        self.options = dict(instance.options)
        self.log = logs.logger_for(instance)
        options = option.declared(type(self))
        self.common, texts = common.split(self.options, options)
        logs.use_level(self.log, self.common.log_level)
        vars(self).update(option.read(options, texts, type(self).__name__))

    def init(self) -> Coroutine[Any, Any, None] | None:
        """Called once, with options and children in place, before the first operation. An exception stops the mount.
        May be a coroutine, but children answer only after CHILD_UP."""
        return None

    def fini(self) -> Coroutine[Any, Any, None] | None:
        """Called once, after the last operation."""
        return None

    def notify(self, event: int, data: object) -> None:
        """Called with each GF_EVENT_* that reaches this layer (glusterfs-fops.h), such as CHILD_UP."""
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

    def spawn(self, coro: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in the background; what it raises is logged. It ends with the translator at the latest."""
        return self._instance.spawn(coro)

    if not TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any:
            if name == "child" and "children" in vars(self):
                raise AttributeError(f"{self.name} has no child: its volume in the volfile has no subvolumes")
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


#: What glupy calls besides fops: name, and the number of arguments after self.
HOOKS = {
    "init": (), "fini": (), "notify": ("event", "data"), "forget": ("inode",), "release": ("fd",), "releasedir": ("fd",),
    "client_disconnect": ("client",), "client_destroy": ("client",),
}

#: Those of them that are called only where a class defines them.
OPTIONAL = ("forget", "release", "releasedir", "client_disconnect", "client_destroy")

#: What makes a context: class attributes.
FACTORIES = ("inode_ctx", "fd_ctx")
