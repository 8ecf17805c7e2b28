"""frame.as_root() and frame.as_user(): what is wound inside acts as somebody else, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import glupy
import pytest
from support import calls
from support.graph import Graph
from support.volfiles import layer

CALLER = (1000, 1001, (5, 6, 7))
ROOT = (0, 0, ())


class People:
    """Three layers: the top one acts as CALLER, the middle one is the test's, the bottom one notes who asks."""

    def __init__(self, child: str) -> None:
        layers = [layer("sink", "glupytest/sink"), layer("bottom", "user/scripted")]
        if child == "thread":
            layers.append(layer("chaos", "glupytest/chaos", thread=100))
        layers += [layer("middle", "user/scripted"), layer("top", "user/scripted")]
        self.graph = Graph(layers, expected=("on purpose",))
        self.seen: list[tuple[str, Any]] = []

    def __enter__(self) -> People:
        self.graph.__enter__()
        self.middle = self.graph.translator("middle")

        async def as_caller(translator: Any, name: str, frame: Any, *args: Any) -> Any:
            with frame.as_user(*CALLER):
                return await getattr(translator.child, name)(*args)

        def note(translator: Any, name: str, frame: Any, *args: Any) -> None:
            self.seen.append((name, (frame.uid, frame.gid, frame.groups)))

        self.graph.translator("top").answer = as_caller
        self.graph.translator("bottom").answer = note
        return self

    def __exit__(self, *args: Any) -> None:
        for name in ("top", "middle", "bottom"):
            self.graph.translator(name).answer = None
        del self.middle
        self.graph.__exit__(*args)

    def ask(self, answer: Any) -> list[tuple[str, Any]]:
        """Who the child heard from while a stat was answered this way."""
        self.middle.answer = answer
        self.seen.clear()
        self.graph.run(one_stat(self.graph))
        return self.seen


async def one_stat(graph: Graph) -> None:
    try:
        await graph.child.stat(calls.loc_of(graph.probe.itable, "file"))
    except OSError:
        pass


@pytest.fixture(scope="module", params=["sink", "thread"])
def people(request: pytest.FixtureRequest) -> Iterator[People]:
    with People(request.param) as people:
        yield people


def test_inside_and_outside(people: People) -> None:
    async def answer(self: Any, name: str, frame: Any, loc: Any, xdata: Any) -> Any:
        assert (frame.uid, frame.gid, frame.groups) == CALLER
        await self.child.access(loc, 1)
        with frame.as_root():
            assert frame.uid == 1000  # who asks stays who asks
            await self.child.readlink(loc, 10)
            with frame.as_user(7, 8, [9]):
                await self.child.statfs(loc)
            await self.child.getxattr(loc, None)
        return await self.child.stat(loc, xdata)

    assert people.ask(answer) == [
        ("access", CALLER), ("readlink", ROOT), ("statfs", (7, 8, (9,))), ("getxattr", ROOT), ("stat", CALLER),
    ]


def test_an_exception_leaves_it(people: People) -> None:
    async def answer(self: Any, name: str, frame: Any, loc: Any, xdata: Any) -> Any:
        try:
            with frame.as_root():
                with frame.as_user(7, 8):
                    raise KeyError("on purpose")
        except KeyError:
            await self.child.access(loc, 1)
        return await self.child.stat(loc, xdata)

    assert people.ask(answer) == [("access", CALLER), ("stat", CALLER)]


def test_it_ends_with_the_request(people: People) -> None:
    async def unfinished(self: Any, name: str, frame: Any, loc: Any, xdata: Any) -> Any:
        frame.as_root().__enter__()
        return await self.child.stat(loc, xdata)

    assert people.ask(unfinished) == [("stat", ROOT)]
    assert people.ask(lambda self, name, frame, *args: None) == [("stat", CALLER)]


def test_one_coroutine_of_several(people: People) -> None:
    """What one of them acts as is nothing to the others, whoever runs when."""

    async def answer(self: Any, name: str, frame: Any, loc: Any, xdata: Any) -> Any:
        async def root() -> None:
            with frame.as_root():
                for _ in range(3):
                    await self.child.access(loc, 1)
                    await glupy.sleep(0)

        async def other() -> None:
            with frame.as_user(7, 8):
                for _ in range(4):
                    await self.child.readlink(loc, 10)
                    await glupy.sleep(0.0001)

        async def caller() -> None:
            for _ in range(5):
                await self.child.statfs(loc)

        await glupy.gather(root(), caller(), other(), self.child.getxattr(loc, None))
        return await self.child.stat(loc, xdata)

    seen = people.ask(answer)
    expected = {"access": ROOT, "readlink": (7, 8, ()), "statfs": CALLER, "getxattr": CALLER, "stat": CALLER}
    assert [entry for entry in seen if expected[entry[0]] != entry[1]] == []
    assert len(seen) == 3 + 4 + 5 + 2


def test_a_gather_inside(people: People) -> None:
    async def answer(self: Any, name: str, frame: Any, loc: Any, xdata: Any) -> Any:
        async def inner() -> None:
            await self.child.access(loc, 1)

        with frame.as_root():
            await glupy.gather(self.child.readlink(loc, 10), inner(), inner())
        return await self.child.stat(loc, xdata)

    seen = people.ask(answer)
    assert sorted(seen[:3]) == [("access", ROOT), ("access", ROOT), ("readlink", ROOT)]
    assert seen[3:] == [("stat", CALLER)]


def test_a_wind_that_is_returned(people: People) -> None:
    """From inside the block it acts as what is in force there, or it is refused; never as the caller by mistake."""

    async def answer(self: Any, name: str, frame: Any, loc: Any, xdata: Any) -> Any:
        with frame.as_root():
            return self.child.stat(loc, xdata)

    assert people.ask(answer) in ([("stat", ROOT)], [])


def test_wrong_use(people: People) -> None:
    errors: list[str] = []

    async def answer(self: Any, name: str, frame: Any, loc: Any, xdata: Any) -> Any:
        identity = frame.as_root()
        for use in (
            lambda: frame.as_user(-1, 0), lambda: frame.as_user(0, 1 << 40), lambda: frame.as_user("0", 0),
            lambda: frame.as_user(0, 0, 5), lambda: frame.as_user(0, 0, ["x"]), lambda: frame.as_user(0, 0, [-1]),
            lambda: frame.as_user(0, 0, range(100_000)), lambda: (identity.__enter__(), identity.__enter__()),
        ):
            try:
                use()
            except Exception as error:
                errors.append(type(error).__name__)
        identity.__exit__(None, None, None)
        return await self.child.stat(loc, xdata)

    assert people.ask(answer) == [("stat", CALLER)]
    assert errors == [
        "OverflowError", "OverflowError", "TypeError", "TypeError", "TypeError", "OverflowError", "ValueError",
        "RuntimeError",
    ]


def test_many_groups(people: People) -> None:
    groups = tuple(range(500))

    async def answer(self: Any, name: str, frame: Any, loc: Any, xdata: Any) -> Any:
        for _ in range(100):
            with frame.as_user(1, 2, groups):
                await self.child.access(loc, 1)
        return await self.child.stat(loc, xdata)

    assert people.ask(answer) == [("access", (1, 2, groups))] * 100 + [("stat", CALLER)]
