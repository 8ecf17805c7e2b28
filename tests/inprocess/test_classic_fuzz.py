"""Whatever a classic script hands to a wind or an unwind: it is refused, by a sentence that says which argument and why,
or it is a right answer. Nothing in GlusterFS follows it before (`classic_take.c`)."""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import glupy
import pytest
from support import calls
from support.graph import Graph
from support.plain import outcome
from support.volfiles import layer

FOPS = [*glupy.FOPS]

#: How a refusal reads: by glupy, by the type of the parameter, or of what is GlusterFS's own.
REFUSED = (r"(ValueError|TypeError|ctypes\.ArgumentError|AttributeError): (wind_FOP: (ARGS)|unwind_FOP: (ARGS)|argument \d+: "
           r"|\w+\.\w+: this \w+ is GlusterFS's own)")

#: What is no structure of a script's, whatever is in it.
OBJECTS = ("LP_inode_t", "LP_fd_t", "LP_dict_t", "LP_iobref_t")
#: Mutations that leave what was given, or that only make a difference for structures that are given as copies.
HARMLESS = re.compile(r"a copy|damaged|noise|own entry$|another|short|misaligned")


@pytest.fixture(scope="module")
def graph() -> Iterator[Graph]:
    layers = [layer("sink", "glupytest/sink", xdata="on"), layer("fuzz", "features/glupy", module="classic_fuzz")]
    with Graph(layers, expected=(r"0-fuzz: ", r"0-glupy")) as graph:
        yield graph


def refusals(fop: str) -> re.Pattern[str]:
    names = {*glupy.FOPS[fop], *calls.reply_type(fop).__match_args__, "count", "iobref", "buf"}
    return re.compile(REFUSED.replace("FOP", fop).replace("ARGS", "|".join(names)))


async def ask(graph: Graph, fop: str, arguments: Sequence[Any]) -> Any:
    return await outcome(getattr(graph.child, fop)(*arguments))


@pytest.mark.parametrize("where", ["wind", "unwind"])
@pytest.mark.parametrize("fop", FOPS)
def test_item_5_planted(fop: str, where: str, graph: Graph) -> None:
    script = graph.translator("fuzz").xlator
    module = sys.modules[type(script).__module__]
    argtypes = getattr(module.dl, f"{where}_{fop}").argtypes[2 if where == "wind" else 5:]
    arguments = calls.arguments(fop, graph.probe.itable)
    plain = graph.run(ask(graph, fop, arguments))
    assert not (isinstance(plain, tuple) and plain[1] == errno.EIO)
    said: set[str] = set()
    for index, name, mutation in module.plans(fop, where):
        label = f"{where}_{fop}, parameter {index} ({argtypes[index].__name__}): {name}"
        script.plan, script.refusal = (where, fop, index, mutation), None
        result = graph.run(ask(graph, fop, arguments))
        assert script.plan is None, f"{label}: was not reached"
        refused = isinstance(result, tuple) and result[1] == errno.EIO
        assert refused == (script.refusal is not None), f"{label}: {script.refusal}: {result}"
        if refused:
            assert refusals(fop).match(script.refusal), f"{label}: {script.refusal}"
            said.add(script.refusal)
        elif argtypes[index].__name__ in OBJECTS:
            assert HARMLESS.search(name), f"{label}: was let through: {result}"
    log = graph.text()
    assert not [text for text in said if text not in log]
    assert graph.run(ask(graph, fop, arguments)) == plain
