"""A graph of GlusterFS's in this process: a volfile, libgfapi, and layers that are classes of this process."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from glupy import Translator
from glupy.loading import handed
from glupy.testing import gfapi, logs
from glupy.volfiles import Layer, volfile

#: GlusterFS's levels, by the numbers that libgfapi takes.
_DEBUG = 8

_serial = itertools.count(1)


class Graph:
    """Not up before begin() and comes_up()."""

    def __init__(self, folder: Path, held: ExitStack) -> None:
        self._folder, self._held = folder, held
        self.log = folder / "log"
        self._modules: list[str] = []
        self._ended = threading.Event()  # libgfapi's init, with success or without
        self._result = -1
        self._fs: int | None = None

    def layer(self, name: str, cls: type[Translator], options: dict[str, str] | None = None) -> Layer:
        """A layer that is a class of ours."""
        module = f"glupy_testing_{next(_serial)}"
        self._held.enter_context(handed.over(module, cls, self._folder / f"store-{module}"))
        self._modules.append(module)
        return Layer(name, "features/glupy", {"module": module, **(options or {})})

    def begin(self, layers: Sequence[Layer], *, aside: bool = False) -> None:
        """Build it, the lowest layer first, and have it come up: before this returns, or aside, on a thread of its own."""
        self.begin_volfile(volfile(layers), aside=aside)

    def begin_volfile(self, text: str, *, level: int = _DEBUG, aside: bool = False) -> None:
        """The same from the text of a volfile, with a level for the log."""
        path = self._folder / "graph.vol"
        path.write_text(text)
        self._fs = gfapi.call("new", b"test")
        gfapi.call("set_volfile", self._fs, str(path))
        gfapi.call("set_logging", self._fs, str(self.log), level)
        if aside:
            threading.Thread(target=self._init_aside, name="graph", daemon=True).start()
        else:
            self._init()

    def _init(self) -> None:
        self._result = gfapi.function("init")(self._fs)
        self._ended.set()

    def _init_aside(self) -> None:
        self._init()
        if self._result != 0:
            threading.Event().wait()  # GlusterFS crashes where a thread ends on which this failed

    def comes_up(self, far_enough: Callable[[], bool] = lambda: False) -> None:
        """Wait until it is up, or as far as it is to come for now. Raises what kept it from it."""
        while not self._ended.wait(0.002):
            if far_enough():
                return
        if self._result != 0:
            # No glfs_fini(): it would free the context and leave running the threads that work with it. The process dies of
            # that at once, or two minutes later when the log is flushed.
            self._fs = None
            raise self._refused()

    def _refused(self) -> Exception:
        errors = [error for name in self._modules if (error := handed.refusal(name)) is not None]
        if errors:
            return errors[0]
        said = "\n".join(entry for level, entry in logs.entries(self.log) if level in "AECWM")
        hint = ("\nIs glupy installed, and its link features/glupy-ground.so? `glupy doctor` tells."
                if "glupy-ground" in said or "features/glupy" in said else "")
        return RuntimeError(f"the graph did not come up:\n{said}{hint}")

    @property
    def fs(self) -> int:
        """libgfapi's handle of it."""
        if self._fs is None:
            raise RuntimeError("the graph is not up: use it inside `with translator(...) as t:`")
        return self._fs

    def end(self) -> None:
        fs, self._fs = self._fs, None
        gfapi.function("fini")(fs)
