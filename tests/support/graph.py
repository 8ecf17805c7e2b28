"""Graphs of the real GlusterFS in this process: libgfapi with a local volfile, no FUSE, no glusterd.

On top of each graph stands a translator of ours (translators/probe.py) that defines no fop. Through it a test winds any
fop, also those that no client can reach: ``graph.run(graph.child.rchecksum(fd, 0, 10))``.
"""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from glupy import Translator
from glupy.testing import graph
from support.logs import entries, unexpected
from support.volfiles import Layer, layer, volfile

TRANSLATORS = Path(__file__).resolve().parent.parent / "translators"

_keys = itertools.count()
_probes: dict[str, Any] = {}


def arrived(key: str, probe: Any) -> None:
    """The probe of a graph has come up."""
    _probes[key] = probe


async def settle() -> None:
    """Nothing, on a thread of glupy's."""


class GraphFailed(Exception):
    """The graph did not come up; carries the log."""


class Graph:
    """A graph of layers, bottom first, with a probe on top. A context manager; leaves nothing behind."""

    def __init__(
        self, layers: Sequence[Layer], *, expected: tuple[str, ...] = (), folder: Path | None = None, level: int = 7,
    ) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="glupy-test.", dir="/var/lib"))
        os.chmod(self.top, 0o755)
        self.expected, self.level = expected, level
        self.key = f"graph{next(_keys)}"
        self._graph = graph.Graph(self.top, ExitStack())
        self.log = self._graph.log
        self._volfile = volfile([*layers, layer("probe", "user/probe", key=self.key)])
        folders = ":".join(str(path) for path in (folder, TRANSLATORS) if path)
        (self.top / "glupy.conf").write_text(f"[glupy]\ntranslators = {folders}\nstore = {self.top / 'store'}\n")
        self._translators: dict[str, Any] = {}

    def __enter__(self) -> Graph:
        # For this moment only: processes that other tests start would inherit it.
        os.environ["GLUPY_CONF"] = str(self.top / "glupy.conf")
        self._graph.begin_volfile(self._volfile, level=self.level)
        del os.environ["GLUPY_CONF"]
        try:
            self._graph.comes_up()
        except RuntimeError:
            log = self.text()
            shutil.rmtree(self.top, ignore_errors=True)
            raise GraphFailed(log) from None
        self.probe = _probes.pop(self.key)
        return self

    @property
    def volfile(self) -> Path:
        """The file that it was made from."""
        return self.top / "graph.vol"

    @property
    def fs(self) -> int:
        """libgfapi's handle."""
        return self._graph.fs

    def text(self) -> str:
        """The log so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def entries(self) -> list[tuple[str, str]]:
        """The log's entries so far."""
        return entries(self.log)

    @property
    def child(self) -> Any:
        """The graph below the probe."""
        return self.probe.child

    @property
    def bottom(self) -> Any:
        """The lowest layer."""
        child = self.child
        while child.children:
            child = child.children[0]
        return child

    def translator(self, name: str) -> Any:
        """The Python object of a layer of ours."""
        if name not in self._translators:
            (self._translators[name],) = (
                thing for thing in gc.get_objects()
                if isinstance(thing, Translator) and thing.name == name and repr(thing._instance) != "<Instance (gone)>"
            )
        return self._translators[name]

    def run(self, coroutine: Any) -> Any:
        """Run a coroutine or a wind in the graph and wait for it."""
        return self.probe._instance.run(coroutine)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            # What a failed test's frames and cycles refer to must go before the graph does; what this thread gives up, a
            # worker releases.
            traceback.clear_frames(trace)
            gc.collect()
            self.run(settle())
            del self.probe
            self._translators.clear()
            self._graph.end()
            if kind is None:
                wrong = unexpected(self.log, self.expected)
                assert not wrong, "unexpected in GlusterFS's log:\n" + "\n".join(wrong[:20])
            else:
                print(self.text()[-8000:])
        finally:
            shutil.rmtree(self.top, ignore_errors=True)
