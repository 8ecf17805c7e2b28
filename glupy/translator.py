"""The base class of every translator."""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any

from glupy import common, logs, option

if TYPE_CHECKING:
    from glupy._core import Child, InodeTable, Instance
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
    fops             the fops that any_fop handles, as far as they have no method of their own; None: all. Given with
                     the class, ``class Trace(Translator, fops=glupy.CHANGING)``, inherited, and may be set in init()

    A method any_fop(self, frame, call) handles the fops in `fops` that have no method of their own.
    """

    child: Child
    children: tuple[Child, ...]
    name: str
    options: dict[str, str]
    common: common.Common
    log: logging.Logger
    fops: Iterable[str] | None = None

    def __init_subclass__(cls, *, fops: Iterable[str] | None = None, **others: Any) -> None:
        super().__init_subclass__(**others)
        if fops is not None:
            cls.fops = fops

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
HOOKS = {"init": (), "fini": (), "notify": ("event", "data")}
