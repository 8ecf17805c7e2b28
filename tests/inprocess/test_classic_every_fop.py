"""Every fop of GlusterFS through the classic API: what comes through a layer of it is what comes without."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any

import glupy
import pytest
from support import calls
from support.graph import Graph
from support.plain import outcome
from support.volfiles import layer

FOPS = [*glupy.FOPS]
HOWS = ["both", "rebuilt", "fops", "callbacks"]

#: A child that answers at once; one that fails with all that a failure can carry; one that answers later, from a thread
#: of its own, when the caller's memory has gone.
CHILDREN = {
    "at-once": [layer("sink", "glupytest/sink", xdata="on")],
    "failing": [layer("sink", "glupytest/sink", xdata="on", fail=errno.EDQUOT, fields="on")],
    "later": [layer("sink", "glupytest/sink", xdata="on"),
              layer("later", "glupytest/onstack", stack="pthread")],
}


@pytest.fixture(scope="module", params=[(child, how) for child in CHILDREN for how in HOWS], ids="-".join)
def graph(request: pytest.FixtureRequest) -> Iterator[Graph]:
    child, how = request.param
    with Graph([*CHILDREN[child], layer(how, "features/glupy", module="classic_pass_all")]) as graph:
        yield graph


async def both(graph: Graph, fop: str) -> tuple[Any, Any]:
    """What a fop gives through the layer, and what it gives without, asked with the same arguments."""
    arguments = calls.arguments(fop, graph.probe.itable)
    through = await outcome(getattr(graph.child, fop)(*arguments))
    return through, await outcome(getattr(graph.child.children[0], fop)(*arguments))


@pytest.mark.parametrize("fop", FOPS)
def test_forwarded(fop: str, graph: Graph) -> None:
    through, direct = graph.run(both(graph, fop))
    assert through == direct
    seen = through[2] if isinstance(through, tuple) else through
    assert fop == "getspec" or seen["xdata"] == {"sink": fop}


@pytest.fixture(scope="module", params=["fop", "cbk"])
def raising(request: pytest.FixtureRequest) -> Iterator[Graph]:
    layers = [layer("sink", "glupytest/sink"), layer(request.param, "features/glupy", module="classic_raises")]
    with Graph(layers, expected=(r"ZeroDivisionError: on purpose",)) as graph:
        yield graph


@pytest.mark.parametrize("fop", FOPS)
def test_raising(fop: str, raising: Graph) -> None:
    start = len(raising.text())
    arguments = calls.arguments(fop, raising.probe.itable)
    assert raising.run(outcome(getattr(raising.child, fop)(*arguments)))[:2] == ("error", errno.EIO)
    assert raising.text()[start:].count("ZeroDivisionError: on purpose") == 1
