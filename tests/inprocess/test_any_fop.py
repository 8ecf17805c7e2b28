"""any_fop: one handler for all fops or for some, beside methods of their own."""

from __future__ import annotations

import errno
import gc
import re
from collections.abc import Iterator
from typing import Any

import glupy
import pytest
from glupy import Loc, StatReply, Xdata
from support import calls
from support.graph import Graph, GraphFailed
from support.plain import differences, outcome
from support.volfiles import layer

WAYS = ["awaited", "looked_into", "given", "tail", "nothing"]
OURS = r" 0-python: python: "


def graph(*python: Any, expected: tuple[str, ...] = ()) -> Graph:
    return Graph([layer("sink", "glupytest/sink", xdata="on"), *python], expected=expected)


def every_fop_in_every_way(through: Graph, ways: list[str]) -> None:
    """Nothing differs from what sink answers itself."""
    translator = through.translator("python")
    for translator.how in ways:
        translator.seen.clear()
        assert through.run(differences(through)) == {}, translator.how
        assert set(translator.seen) == set(glupy.FOPS)


def test_every_fop() -> None:
    with graph(layer("python", "user/any_pass")) as through:
        every_fop_in_every_way(through, WAYS)


def stacked(stack: str, python: Any) -> Graph:
    """A layer that is entered and answered on one kind of stack."""
    below, above = (layer(name, "glupytest/onstack", **{option: stack})
                    for name, option in (("below", "cbk_stack"), ("above", "stack")))
    return graph(below, python, above)


@pytest.mark.parametrize("stack", ["synctask16", "io-thread"])
def test_on_other_stacks(stack: str) -> None:
    with stacked(stack, layer("python", "user/any_pass")) as through:
        every_fop_in_every_way(through, WAYS)


def test_methods_of_their_own_and_fops() -> None:
    """A method of the fop's own goes first, and what `fops` leaves out does not come at all."""
    with graph(layer("python", "user/any_scripted", handled="lookup,stat,unlink")) as some:
        assert set(some.run(differences(some))) == {"compound"}  # for which GlusterFS has no default
        assert set(some.translator("python").seen) == {"lookup", "unlink", "its own stat", "its own fstat"}


def test_unknown_name_set_in_init() -> None:
    with pytest.raises(GraphFailed) as failed:
        graph(layer("python", "user/any_scripted", handled="lookup,unlik")).__enter__()
    assert "names 'unlik', which is no file operation of GlusterFS; did you mean unlink?" in str(failed.value)


def scripted(graph: Graph, answer: Any) -> Any:
    translator = graph.translator("python")
    translator.answer = answer
    return translator


@pytest.fixture(scope="module")
def shared() -> Iterator[Graph]:
    with graph(layer("python", "user/any_scripted"), expected=(OURS, "was never wound")) as made:
        yield made


@pytest.fixture
def python(shared: Graph) -> Iterator[Graph]:
    yield shared
    shared.translator("python").answer = None  # and what it refers to


def after(graph: Graph, before: str) -> str:
    """What the log says more."""
    return graph.text()[len(before):]


def test_what_a_call_has(python: Graph) -> None:
    said: list[Any] = []

    def look(self: Any, frame: Any, call: Any) -> None:
        said.append((call.name, call.keys(), list(call), len(call), call.loc == call.get("loc"), call.path,
                     dict(call).keys() == set(call.keys()), tuple(call[name] for name in call) == call.args,
                     "offset" in call, call.get("offset"), call.get("nothing", 7)))
        with pytest.raises(KeyError, match="has no argument 'nothing'"):
            call["nothing"]
        with pytest.raises(KeyError):
            call[3]

    scripted(python, look)
    table = python.probe.itable
    loc, fd = calls.loc_of(table, "file"), calls.argument("readv", "fd", table)
    python.run(python.child.truncate(loc, 5))
    python.run(python.child.readv(fd, 1, 2, 3))
    assert said[0] == ("truncate", ("loc", "offset", "xdata"), ["loc", "offset", "xdata"], 3, True, "/file", True, True,
                       True, 5, 7)
    assert said[1][0] == "readv" and said[1][5] == "/filefd" and said[1][9] == 2


def test_what_it_is_about(python: Graph) -> None:
    found: dict[str, Any] = {}

    def look(self: Any, frame: Any, call: Any) -> None:
        found[call.name] = (call.loc, call.fd, call.inode, call.gfid, call.path, repr(call))

    scripted(python, look)
    table = python.probe.itable
    loc, fd = calls.loc_of(table, "file"), calls.argument("readv", "fd", table)
    python.run(python.child.open(loc, 0, fd))
    python.run(python.child.flush(fd))
    python.run(python.child.ipc(0))
    python.run(python.child.rename(loc, calls.new_loc(table, "there")))
    opened = found["open"]
    assert (opened[0].path, opened[1].inode, opened[2], opened[3]) == ("/file", fd.inode, loc.inode, loc.gfid)
    assert opened[4:] == ("/file", "<Call of open, '/file'>")
    assert found["flush"][:1] == (None,) and found["flush"][2:5] == (fd.inode, fd.inode.gfid, "/filefd")
    assert found["ipc"] == (None,) * 5 + ("<Call of ipc>",)
    assert found["rename"][4] == "/file"
    python.run(python.child.mkdir(glupy.Loc(inode=table.new(), gfid=glupy.Gfid.random()), 0o755, 0))
    assert found["mkdir"][4:] == (None, "<Call of mkdir>")  # neither a path nor an inode that is in the table


def test_changed_arguments(python: Graph) -> None:
    """By position, by name, and to a child that is given."""
    table = python.probe.itable
    loc = calls.loc_of(table, "file")

    def changed(*args: Any, **changes: Any) -> Any:
        def answer(self: Any, frame: Any, call: Any) -> Any:
            return call.wind(*args, child=self.child, **changes)
        scripted(python, answer)
        return python.run(outcome(python.child.getxattr(loc, "user.a", Xdata(asked="a"))))

    def direct(*args: Any) -> Any:
        return python.run(outcome(python.bottom.getxattr(*args)))

    other = calls.loc_of(table, "other")
    assert changed() == direct(loc, "user.a", Xdata(asked="a"))
    assert changed(name="user.b") == direct(loc, "user.b", Xdata(asked="a"))
    assert changed(other, xdata={"asked": "b"}) == direct(other, "user.a", Xdata(asked="b"))
    assert changed(other, None) == direct(other, None, Xdata(asked="a"))


@pytest.mark.parametrize(("args", "changes", "text"), [
    ((), {"nothing": 1}, "getxattr() has no argument 'nothing'"),
    ((), {"name": 3}, "getxattr(): name: expected str or bytes, not int"),
    ((None,), {}, "getxattr(): loc: None will not do"),
    ((1, 2, 3, 4), {}, "getxattr() takes 3 arguments, 4 given"),
    ((), {"child": 3}, "wind(): child: expected Child, not int"),
])
def test_wrong_arguments(python: Graph, args: Any, changes: Any, text: str) -> None:
    found: list[str] = []

    def answer(self: Any, frame: Any, call: Any) -> Any:
        try:
            call.wind(*args, **changes)
        except TypeError as error:
            found.append(str(error))

    scripted(python, answer)
    python.run(python.child.getxattr(calls.loc_of(python.probe.itable, "file"), "user.a"))
    assert found == [text]


async def nothing_after_work(self: Any, frame: Any, call: Any) -> Any:
    await call.wind()


def raises(kind: type[BaseException], *args: Any) -> Any:
    def answer(self: Any, frame: Any, call: Any) -> Any:
        raise kind(*args)
    return answer


@pytest.mark.parametrize(("answer", "number", "logged"), [
    (raises(PermissionError), errno.EPERM, None),
    (raises(OSError, errno.EDQUOT, "no"), errno.EDQUOT, None),
    (raises(ValueError, "what"), errno.EIO, "truncate of '/file' failed.*ValueError: what"),
    (lambda self, frame, call: StatReply(), errno.EIO, "truncate was answered with a glupy._core.StatReply"),
    (lambda self, frame, call: self.child.stat(call.loc), errno.EIO, "truncate was answered with a wind of stat"),
    (lambda self, frame, call: 3, errno.EIO, "truncate returned 3: expected a reply"),
    (nothing_after_work, errno.EIO, "truncate returned None after its work"),
])
def test_errors(python: Graph, answer: Any, number: int, logged: str | None) -> None:
    scripted(python, answer)
    before = python.text()
    with pytest.raises(OSError) as failed:
        python.run(python.child.truncate(calls.loc_of(python.probe.itable, "file"), 0))
    assert failed.value.errno == number
    assert re.search(logged or "^$", after(python, before), re.S)


def test_error_of_the_child(python: Graph) -> None:
    """It goes up as it came, with the reply that came with it."""
    async def answer(self: Any, frame: Any, call: Any) -> Any:
        return await call.wind()

    scripted(python, answer)
    missing = Loc("/newnothing", inode=python.probe.itable.new(), parent=python.probe.itable.root)
    through = python.run(outcome(python.child.lookup(missing)))
    assert through[:2] == ("error", errno.ENOENT) and through == python.run(outcome(python.bottom.lookup(missing)))


def test_kept_call(python: Graph) -> None:
    """It outlives its request, with its arguments, and can still be wound, by whom it may concern."""
    kept: list[Any] = []
    scripted(python, lambda self, frame, call: kept.append(call))
    table = python.probe.itable
    for number in range(50):
        python.run(python.child.writev(calls.argument("writev", "fd", table), b"data %d" % number, 0, 0, {"n": number}))
    for number, call in enumerate(kept):
        assert bytes(call["vector"]) == b"data %d" % number and call["xdata"]["n"] == number and call.path == "/filefd"
    assert python.run(kept[0].wind()).op_ret == len(b"data 0")
    del call
    kept.clear()
    gc.collect()
