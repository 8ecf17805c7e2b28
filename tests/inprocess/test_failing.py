"""Failing without an exception: glupy.fail() as an answer, and winds whose failure is a value (or_error())."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from typing import Any

import glupy
import pytest
from glupy import StatReply
from support import calls
from support.graph import Graph
from support.plain import outcome, plain
from support.volfiles import layer


@pytest.fixture(scope="module", params=[0, errno.EDQUOT], ids=["succeeds", "fails"])
def graph(request: pytest.FixtureRequest) -> Iterator[Graph]:
    options = {"fail": request.param, "fields": "on"} if request.param else {}
    layers = [layer("sink", "glupytest/sink", xdata="on", **options), layer("script", "user/scripted")]
    with Graph(layers, expected=("lookup returned <", )) as graph:
        yield graph
        graph.translator("script").answer = None


async def failed(graph: Graph) -> bool:
    reply = await graph.bottom.stat(*calls.arguments("stat", graph.probe.itable)).or_error()
    return bool(reply.op_ret < 0)


def ask(graph: Graph, answer: Any, fop: str = "stat") -> Any:
    graph.translator("script").answer = answer
    return graph.run(outcome(getattr(graph.child, fop)(*calls.arguments(fop, graph.probe.itable))))


@pytest.mark.parametrize("fop", [*glupy.FOPS])
def test_a_failure_is_a_value(fop: str, graph: Graph) -> None:
    async def both() -> Any:
        arguments = calls.arguments(fop, graph.probe.itable)
        return await outcome(getattr(graph.bottom, fop)(*arguments)), await getattr(graph.bottom, fop)(*arguments).or_error()

    raised, reply = graph.run(both())
    if reply.op_ret >= 0:
        assert raised == plain(reply) and not graph.run(failed(graph))
    else:
        assert raised == ("error", reply.op_errno, plain(reply)) and reply.op_errno == errno.EDQUOT


def test_in_a_gather(graph: Graph) -> None:
    async def work() -> Any:
        arguments = calls.arguments("stat", graph.probe.itable)
        return await glupy.gather(*(graph.bottom.stat(*arguments).or_error() for _ in range(3)))

    assert {reply.op_ret for reply in graph.run(work())} == {-1 if graph.run(failed(graph)) else 0}


def test_a_wind_that_was_awaited(graph: Graph) -> None:
    async def late() -> None:
        wind = graph.bottom.stat(*calls.arguments("stat", graph.probe.itable)).or_error()
        await wind
        with pytest.raises(RuntimeError, match="awaited before"):
            wind.or_error()

    graph.run(late())


def test_returned_as_it_is(graph: Graph) -> None:
    def wind(self: Any, name: str, frame: Any, *args: Any) -> Any:
        return getattr(self.child, name)(*args).or_error()

    def unchanged(self: Any, name: str, frame: Any, *args: Any) -> None:
        return None

    seen, expected = (ask(graph, answer, "access") for answer in (wind, unchanged))
    assert seen == expected and isinstance(seen, tuple) == graph.run(failed(graph))


def test_instead_of_the_childs_failure(graph: Graph) -> None:
    async def hidden(self: Any, name: str, frame: Any, *args: Any) -> Any:
        reply = await self.child.stat(*args).or_error()
        return reply if reply.op_ret >= 0 else glupy.fail(errno.EACCES, {"was": reply.op_errno})

    seen = ask(graph, hidden)
    if graph.run(failed(graph)):
        assert seen[:2] == ("error", errno.EACCES) and seen[2]["xdata"] == {"was": errno.EDQUOT}
    else:
        assert seen["op_ret"] == 0


def test_one_for_all_who_send_no_xdata() -> None:
    assert glupy.fail(errno.ENOENT) is glupy.fail(errno.ENOENT) is not glupy.fail(errno.EPERM)
    assert glupy.fail(2).errno == 2 and glupy.fail(2).xdata is None and glupy.fail(2, None).xdata is None
    with_xdata = glupy.fail(2, xdata={"a": 1})
    assert with_xdata.xdata == {"a": 1} and with_xdata is not glupy.fail(2, {"a": 1})
    assert repr(glupy.fail(2)) == "<failure, errno 2 (No such file or directory)>"
    assert repr(with_xdata) == "<failure, errno 2 (No such file or directory), with xdata>"


def test_one_that_is_used_again(graph: Graph) -> None:
    failure = glupy.fail(errno.EPERM, {"why": "closed"})

    def closed(self: Any, name: str, frame: Any, *args: Any) -> Any:
        return failure

    before = sys.getrefcount(failure)
    for _ in range(100):
        kind, number, reply = ask(graph, closed)
        assert (kind, number, reply["xdata"]) == ("error", errno.EPERM, {"why": "closed"})
    graph.translator("script").answer = None
    assert sys.getrefcount(failure) == before


@pytest.mark.parametrize(("make", "error", "says"), [
    (lambda: glupy.fail(), TypeError, "takes an errno"),
    (lambda: glupy.fail(xdata={}), TypeError, "takes an errno"),
    (lambda: glupy.fail(1, {}, 3), TypeError, "takes an errno"),
    (lambda: glupy.fail(1, xs={}), TypeError, "takes an errno"),
    (lambda: glupy.fail("ENOENT"), TypeError, "expected an errno, such as errno.ENOENT, not 'ENOENT'"),
    (lambda: glupy.fail(0), ValueError, "expected an errno from 1 to 511, not 0"),
    (lambda: glupy.fail(-2), ValueError, "expected an errno from 1 to 511, not -2"),
    (lambda: glupy.fail(512), ValueError, "expected an errno from 1 to 511, not 512"),
    (lambda: glupy.fail(1 << 80), ValueError, "expected an errno from 1 to 511"),
    (lambda: glupy.fail(2, 7), TypeError, ""),
])
def test_mistakes(make: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        make()


def test_what_is_no_answer(graph: Graph) -> None:
    for answer in (object(), StatReply, glupy.fail):
        assert ask(graph, lambda *_, answer=answer: answer, "lookup")[:2] == ("error", errno.EIO)
