"""Every fop of GlusterFS, through Python in each way that a translator can treat it.

The caller is a translator in Python too (the probe on top), the child one in C (glupytest/sink). The table at the end
of the run counts what has been seen here.
"""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterator
from typing import Any

import glupy
import pytest
from glupy import Gfid, Iatt, Lease, Statvfs
from support import calls
from support.graph import Graph
from support.plain import outcome, plain
from support.volfiles import layer

FOPS = [*glupy.FOPS]
WAYS = ["awaited", "looked_into", "tail", "nothing", "as_value"]
Counts = Counter[tuple[str, str]]


@pytest.fixture(autouse=True)
def nothing_left_in_the_script(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test has the script answer holds on to the test's values."""
    yield
    if "graph" in request.fixturenames:
        request.getfixturevalue("graph").translator("script").answer = None


@pytest.fixture(scope="module")
def graph() -> Iterator[Graph]:
    """A scripted layer over a sink."""
    expected = ("Error: on purpose", "buf that has no ia_gfid")
    layers = [layer("sink", "glupytest/sink", xdata="on"), layer("script", "user/scripted")]
    with Graph(layers, expected=expected) as graph:
        yield graph


@pytest.fixture(scope="module", params=WAYS)
def forwarding(request: pytest.FixtureRequest) -> Iterator[Graph]:
    """A layer that passes every fop on, over a sink."""
    layers = [layer("sink", "glupytest/sink", xdata="on"), layer("python", "user/pass_all", how=request.param)]
    with Graph(layers) as graph:
        yield graph


@pytest.fixture(scope="module", params=WAYS)
def failing(request: pytest.FixtureRequest) -> Iterator[Graph]:
    """The same over a sink that fails, with all that a failure can carry."""
    sink = layer("sink", "glupytest/sink", xdata="on", fail=errno.EDQUOT, fields="on")
    with Graph([sink, layer("python", "user/pass_all", how=request.param)]) as graph:
        yield graph


async def both(graph: Graph, fop: str) -> tuple[Any, Any]:
    """What a fop gives through the layer, and what it gives without, asked with the same arguments."""
    arguments = calls.arguments(fop, graph.probe.itable)
    through = await outcome(getattr(graph.child, fop)(*arguments))
    return through, await outcome(getattr(graph.child.children[0], fop)(*arguments))


def reached_sink(fop: str, seen: Any) -> bool:
    """Whether a reply is sink's; getspec's has no xdata to tell."""
    return fop == "getspec" or seen["xdata"] == {"sink": fop}


@pytest.mark.parametrize("fop", FOPS)
def test_forwarded(fop: str, forwarding: Graph, counts: Counts) -> None:
    python = forwarding.translator("python")
    before = python.seen[fop]
    through, direct = forwarding.run(both(forwarding, fop))
    assert through == direct
    assert reached_sink(fop, through)
    assert python.seen[fop] == before + 1
    counts[fop, "intercepted"] += 1
    counts[fop, "forwarded"] += 1


@pytest.mark.parametrize("fop", FOPS)
def test_failure_of_the_child(fop: str, failing: Graph) -> None:
    through, direct = failing.run(both(failing, fop))
    assert through == direct
    assert through[:2] == ("error", errno.EDQUOT)
    assert reached_sink(fop, through[2])


@pytest.mark.parametrize("fop", FOPS)
@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES, errno.EDQUOT, 1, errno.ENOTRECOVERABLE])
def test_failed_on_purpose(fop: str, number: int, graph: Graph, counts: Counts) -> None:
    script = graph.translator("script")

    def plain_def(self: Any, name: str, frame: Any, *args: Any) -> Any:
        raise OSError(number, "on purpose")

    async def coroutine(self: Any, name: str, frame: Any, *args: Any) -> Any:
        error = OSError(number, "on purpose")
        error.xdata = {"why": "on purpose", "count": 3}  # type: ignore[attr-defined]
        raise error

    async def after_the_child(self: Any, name: str, frame: Any, *args: Any) -> Any:
        await getattr(self.child, name)(*args)
        raise OSError(number, "on purpose")

    def returned(self: Any, name: str, frame: Any, *args: Any) -> Any:
        return glupy.fail(number)

    async def returned_with_xdata(self: Any, name: str, frame: Any, *args: Any) -> Any:
        await getattr(self.child, name)(*args)
        return glupy.fail(number, xdata={"why": "on purpose", "count": 3})

    xdata_given = {"why": "on purpose", "count": 3}
    for answer, xdata in ((plain_def, {}), (coroutine, xdata_given), (after_the_child, {}), (returned, {}),
                          (returned_with_xdata, xdata_given)):
        script.answer = answer
        before = script.seen[fop]
        kind, seen, reply = graph.run(outcome(getattr(graph.child, fop)(*calls.arguments(fop, graph.probe.itable))))
        assert (kind, seen) == ("error", number)
        assert fop == "getspec" or reply["xdata"] == xdata
        assert script.seen[fop] == before + 1
        counts[fop, "intercepted"] += 1
        counts[fop, "failed on purpose"] += 1


@pytest.mark.parametrize("fop", FOPS)
@pytest.mark.parametrize("how", ["plain", "coroutine", "after the child"])
def test_answered_from_python(fop: str, how: str, graph: Graph, counts: Counts) -> None:
    given: dict[str, Any] = {}

    async def coroutine(self: Any, name: str, frame: Any, *args: Any) -> Any:
        if how == "after the child":
            await getattr(self.child, name)(*args)
        return reply(self)

    def reply(self: Any) -> Any:
        made = calls.whole_reply(fop, self.itable)
        given.update(plain(made))
        return made

    def answer(self: Any, name: str, frame: Any, *args: Any) -> Any:
        return reply(self) if how == "plain" else coroutine(self, name, frame, *args)

    assert answered(graph, fop, answer) == given
    counts[fop, "intercepted"] += 1
    counts[fop, "answered from Python"] += 1


def answered(graph: Graph, fop: str, answer: Any) -> Any:
    """What a caller sees of an answer."""
    script = graph.translator("script")
    script.answer = answer
    before = script.seen[fop]
    seen = graph.run(outcome(getattr(graph.child, fop)(*calls.arguments(fop, graph.probe.itable))))
    assert script.seen[fop] == before + 1
    return seen


def left_out(fop: str, name: str, arguments: dict[str, Any]) -> Any:
    """What stands in a reply where the author gave nothing."""
    if name in calls.IATT_FIELDS or (name == "buf" and fop != "statfs"):
        return Iatt()
    locs = [value for key, value in arguments.items() if key.endswith("loc")]
    match name:
        case "inode":
            return plain(locs[0].inode)
        case "fd":
            return plain(arguments["fd"])
        case "dict" | "xattr" | "xdata":
            return {}
        case "buf":
            return Statvfs()
        case "flock":
            return glupy.Flock()
        case "lease":
            return Lease(lease_id=bytes(16))
        case "entries" | "locklist":
            return []
        case "vector":
            return b""
        case "strong_checksum":
            return bytes(32)
        case "weak_checksum" | "offset":
            return 0
        case "path" | "spec_data" | "data":
            return None
    raise AssertionError(f"{fop}: {name}")


#: What they answer becomes an inode of the table, which without a gfid cannot be.
MAKE_INODES = {fop for fop in FOPS if "inode" in calls.reply_type(fop).__match_args__}


@pytest.mark.parametrize("fop", FOPS)
def test_answered_with_everything_left_out(fop: str, graph: Graph, counts: Counts) -> None:
    expected: dict[str, Any] = {"op_ret": 0}

    def answer(self: Any, name: str, frame: Any, *args: Any) -> Any:
        arguments = dict(zip(glupy.FOPS[fop], args))
        made = calls.reply_type(fop)
        given = {"buf": Iatt(ia_gfid=Gfid.random())} if fop in MAKE_INODES else {}
        expected.update({field: left_out(fop, field, arguments) for field in made.__match_args__})
        expected.update(given)
        return made(**given)

    assert answered(graph, fop, answer) == expected
    expected.clear()
    counts[fop, "intercepted"] += 1
    counts[fop, "answered from Python"] += 1


@pytest.mark.parametrize("fop", sorted(MAKE_INODES))
def test_answered_without_a_gfid(fop: str, graph: Graph) -> None:
    start = len(graph.text())
    assert answered(graph, fop, lambda *args: calls.reply_type(fop)())[:2] == ("error", errno.EIO)
    assert f"{fop} was answered with a buf that has no ia_gfid" in graph.text()[start:]


@pytest.mark.parametrize("fop", FOPS)
@pytest.mark.parametrize("how", ["plain", "coroutine"])
def test_exceptions_are_answered_and_logged(fop: str, how: str, graph: Graph) -> None:
    async def in_a_coroutine(self: Any, name: str, frame: Any, *args: Any) -> Any:
        await getattr(self.child, name)(*args)
        raise ZeroDivisionError("on purpose")

    def in_a_plain_def(self: Any, name: str, frame: Any, *args: Any) -> Any:
        raise ValueError("on purpose")

    start = len(graph.text())
    kind, number, reply = answered(graph, fop, in_a_coroutine if how == "coroutine" else in_a_plain_def)
    assert (kind, number) == ("error", errno.EIO)
    assert fop == "getspec" or reply["xdata"] == {}
    text = graph.text()[start:]
    assert text.count("Traceback (most recent call last)") == 1
    assert "in in_a_coroutine" in text if how == "coroutine" else "in in_a_plain_def" in text
    names = glupy.FOPS[fop]
    if any(name.endswith("loc") or name.startswith("fd") for name in names):
        assert f"script: {fop} of '/" in text
    else:
        assert f"script: {fop} failed" in text


@pytest.mark.parametrize("fop", FOPS)
def test_no_cell_of_the_table_is_empty(fop: str, request: pytest.FixtureRequest, counts: Counts) -> None:
    """Last in this file: what the others counted."""
    if not any(counts[fop, column] for column in ("forwarded", "failed on purpose", "answered from Python")):
        pytest.skip("the tests that count have not been selected")
    for column in ("intercepted", "forwarded", "failed on purpose", "answered from Python"):
        assert counts[fop, column] > 0, column


@pytest.mark.parametrize("how", WAYS)
def test_child_without_the_fop(how: str) -> None:
    """compound has no default in GlusterFS: where a child does not have it, there is nothing to call."""
    layers = [layer("sink", "glupytest/sink"), layer("none", "user/nothing"), layer("python", "user/pass_all", how=how)]
    with Graph(layers) as graph:
        kind, number, reply = graph.run(outcome(graph.child.compound(None)))
        assert (kind, number) == ("error", errno.ENOTSUP)
        assert graph.run(outcome(graph.child.stat(calls.loc_of(graph.probe.itable, "file"))))["op_ret"] == 0


def test_gfids_of_sink_are_those_of_the_call() -> None:
    """The comparisons above would see a reply for another file."""
    with Graph([layer("sink", "glupytest/sink")]) as graph:
        gfid = Gfid.random()

        async def look() -> Any:
            table = graph.probe.itable
            return (await graph.child.stat(calls.loc_of(table, "file").replace(inode=table.new(), gfid=gfid))).buf

        assert graph.run(look()).ia_gfid == gfid
