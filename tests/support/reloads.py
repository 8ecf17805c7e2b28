"""A translator whose file a test writes anew while its graph is up, and what its versions tell."""

from __future__ import annotations

import itertools
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from glupy import Loc
from support import calls, control, sight
from support.graph import Graph
from support.volfiles import layer
from support.waiting import wait_until

#: Where the translator's versions find what the test gives them, and leave what they tell.
STAGE = "reload_stage"

#: What each version begins with.
HEAD = f"import {STAGE} as stage\nfrom glupy import Future, GetxattrReply, Option, Translator, gather, offload, sleep, wait\n"

#: A version that says which it is.
NUMBERED = HEAD + """
class Numbered(Translator):
    async def getxattr(self, frame, loc, name, xdata):
        return GetxattrReply({"user.version": b"%d"})
"""


class Reloads:
    """A graph with a layer `one`, of a file that the test writes.

    stage  the module by which test and translator share objects
    """

    def __init__(self, graph: Graph, file: Path, stage: types.ModuleType) -> None:
        self.graph, self.file, self.stage = graph, file, stage
        self._numbers = itertools.count(1)
        self._options: dict[str, object] = {"module": "one"}

    def write(self, source: str) -> None:
        self.file.write_text(HEAD + source if STAGE not in source else source)

    def reload(self, source: str | None = None, **options: object) -> None:
        """Load the file anew, with other contents if they are given, and with other options."""
        if source is not None:
            self.write(source)
        self._options = {"module": "one", **options}
        control.reconfigure(self.graph, "one", {**self._options, "reload": next(self._numbers)})

    @property
    def loc(self) -> Loc:
        return calls.loc_of(self.graph.probe.itable, "file")

    async def asked(self) -> bytes:
        """What the translator makes of a getxattr."""
        answer = (await self.graph.child.getxattr(self.loc, "user.version")).dict
        return bytes(answer["user.version"]) if "user.version" in answer else b"passed"

    def ask(self) -> bytes:
        answer: bytes = self.graph.run(self.asked())
        return answer

    def wait_for(self, *told: object) -> None:
        """Until the versions have told this, in this order."""
        wait_until(lambda: self.stage.told == [*told], f"versions to tell {told}")

    def text(self) -> str:
        return self.graph.text()

    def counts(self) -> dict[str, int]:
        """What the layer reports of its reloads."""
        found: dict[str, int] = self.report()["reloads"]
        return found

    def report(self) -> Any:
        answer = self.graph.run(self.graph.child.getxattr(self.loc, f"{sight.STATS}.one")).dict
        return sight.parsed(answer[f"{sight.STATS}.one"])


@contextmanager
def reloads(trusted: Path, source: str, *expected: str, file: str = "one.py", **options: object) -> Iterator[Reloads]:
    stage: Any = types.ModuleType(STAGE)
    stage.told = []
    sys.modules[STAGE] = stage
    path = trusted / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(source if STAGE in source else HEAD + source)
    layers = [layer("sink", "glupytest/sink"), layer("control", "glupytest/control"),
              layer("one", "features/glupy", module="one", **options)]
    try:
        with Graph(layers, folder=trusted, expected=expected) as graph:
            yield Reloads(graph, path, stage)
    finally:
        del sys.modules[STAGE]


def modules() -> list[str]:
    """The private names of the versions that are there."""
    return [name for name in sys.modules if name.startswith("glupy.user.one#") and name.count(".") == 2]
