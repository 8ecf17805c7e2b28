"""Options that change while the graph is up."""

from __future__ import annotations

import re
import gc
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import glupy
import pytest
from support import calls, control
from support.graph import Graph
from support.volfiles import layer
from support.waiting import PATIENCE, wait_until

REFUSED = r"changes keeps the options it ha[sd]"


@contextmanager
def graph_of(*expected: str, **options: object) -> Iterator[Graph]:
    """A volume as glusterd makes it; one with option module is as one writes it by hand."""
    kind = "features/glupy" if "module" in options else "user/changes"
    layers = [layer("sink", "glupytest/sink"), layer("control", "glupytest/control"), layer("changes", kind, **options)]
    with Graph(layers, expected=expected) as graph:
        yield graph


def file_of(graph: Graph) -> Any:
    """A loc; a test does not keep it until its graph goes."""
    return calls.loc_of(graph.probe.itable, "file")


def ask(graph: Graph) -> str:
    """The options, as a fop sees them; 'passed' when it passes Python by."""
    answer = graph.run(graph.child.getxattr(file_of(graph), "user.options")).dict
    return bytes(answer["user.options"]).decode() if "user.options" in answer else "passed"


def test_new_values_and_what_changed() -> None:
    with graph_of(low=5, high=5) as graph:
        translator = graph.translator("changes")
        assert ask(graph) == "5 5 nobody 60"
        control.reconfigure(graph, "changes", {"low": 7, "high": 7, "wait": "2min"})
        assert ask(graph) == "7 7 nobody 120"
        assert translator.options == {"low": "7", "high": "7", "wait": "2min"}
        assert translator.changes == [{"low": 5, "high": 5, "wait": 60}]
        control.reconfigure(graph, "changes", {"low": 7, "high": 7, "wait": "120"})  # the same in other words
        assert len(translator.changes) == 1 and translator.options["wait"] == "120"
        control.reconfigure(graph, "changes", {})
        assert ask(graph) == "1 1 nobody 60"
        assert translator.changes[1] == {"low": 7, "high": 7, "wait": 120}
        assert 'changes has new options: high "7", low "7", wait "2min"' in graph.text()
        assert "changes has new options: high not given, low not given, wait not given" in graph.text()
        # GlusterFS shows what a graph was built with, here as of any translator.
        assert control.meta_options(graph, "changes") == {"low": "5", "high": "5"}


@pytest.mark.parametrize(("options", "why"), [
    ({"low": 3, "high": "many"}, 'option high is "many": expected a whole number such as 42, -1 or 0x2a'),
    ({"low": 3, "high": -1}, 'option high is "-1": must be at least 0'),
    ({"low": 3, "hihg": 3}, "option hihg is not declared by Changes; did you mean high?"),
    ({"low": 3, "name-of": "a", "name_of": "b"}, "option name-of is given twice"),
    ({"low": 3, "on-error": "EPERM"}, 'option on-error is "EPERM": must be one of EIO, pass'),
    ({"low": 3, "enabled": "perhaps"}, 'option enabled is "perhaps": expected one of on, yes'),
    ({"low": 3, "module": "talks"}, 'option module is "talks", and was "changes" when the graph was built: another'),
])
def test_a_bad_one_keeps_all(options: dict[str, object], why: str) -> None:
    with graph_of(REFUSED, module="changes", low=5, high=5) as graph:
        control.reconfigure(graph, "changes", {"module": "changes", **options})
        assert ask(graph) == "5 5 nobody 60"
        assert graph.translator("changes").options == {"module": "changes", "low": "5", "high": "5"}
        assert not graph.translator("changes").changes
        assert [text for level, text in graph.entries() if level == "E" and why in text], graph.text()[-2000:]
        control.reconfigure(graph, "changes", {"module": "changes", "low": 6, "high": 6})
        assert ask(graph) == "6 6 nobody 60"


def test_a_required_one_that_goes(trusted: Any) -> None:
    trusted.joinpath("needs.py").write_text(
        "from glupy import Option, Translator\nclass Needs(Translator):\n    limit = Option(int, help='how many')\n")
    layers = [layer("sink", "glupytest/sink"), layer("control", "glupytest/control"),
              layer("needs", "features/glupy", module="needs", limit=4)]
    with Graph(layers, folder=trusted, expected=("needs keeps the options",)) as graph:
        control.reconfigure(graph, "needs", {"module": "needs"})
        assert "option limit is missing: Needs needs it (how many)" in graph.text()
        assert graph.translator("needs").limit == 4


async def refuse_later(graph: Graph, translator: Any) -> None:
    await translator.child.stat(file_of(graph))
    raise ValueError("not this")


@pytest.mark.parametrize("how", ["raises", "raises-later", "returns"])
def test_reconfigured_that_refuses(how: str) -> None:
    with graph_of(REFUSED, r"reconfigured failed", low=5, high=5) as graph:
        translator = graph.translator("changes")

        def refuse(changed: Any) -> Any:
            assert (translator.low, translator.high) == (6, 6)
            if how == "raises":
                raise ValueError("not this")
            return refuse_later(graph, translator) if how == "raises-later" else 5

        translator.on_change = refuse
        control.reconfigure(graph, "changes", {"low": 6, "high": 6})
        wait_until(lambda: "keeps the options it had" in graph.text(), "the refusal")
        assert ask(graph) == "5 5 nobody 60"
        assert translator.options == {"low": "5", "high": "5"}
        assert "changes: reconfigured failed\nTraceback" in graph.text()
        translator.on_change = lambda changed: None
        control.reconfigure(graph, "changes", {"low": 6, "high": 6})
        assert ask(graph) == "6 6 nobody 60"


class Refusal(Exception):
    """What reconfigured() raises."""


@pytest.mark.parametrize("later", [False, True])
def test_item_18_what_a_refusal_holds_goes_at_once(later: bool) -> None:
    """Its traceback leads to the translator, which would stay in memory until a garbage collection."""
    refusals: list[weakref.ref[Refusal]] = []

    def refuse() -> None:
        error = Refusal()
        refusals.append(weakref.ref(error))
        try:
            raise error
        finally:
            del error

    async def refuse_then() -> None:
        await glupy.sleep(0)
        refuse()

    with graph_of(REFUSED, r"reconfigured failed") as graph:
        graph.translator("changes").on_change = lambda changed: refuse_then() if later else refuse()
        gc.disable()
        try:
            control.reconfigure(graph, "changes", {"low": 6, "high": 6})
            wait_until(lambda: refusals and refusals[0]() is None, "the exception to go", 30)
        finally:
            gc.enable()


def test_one_change_after_another() -> None:
    """While reconfigured() of one waits, the next ones wait for it; GlusterFS does not."""
    with graph_of() as graph:
        translator = graph.translator("changes")
        gate = glupy.Future()

        async def first(changed: Any) -> None:
            translator.on_change = lambda changed: None
            await gate

        translator.on_change = first
        for number in range(2, 6):
            control.reconfigure(graph, "changes", {"low": number, "high": number})
        assert ask(graph) == "2 2 nobody 60"
        gate.set_result(None)
        # The values are in force before reconfigured() is called.
        wait_until(lambda: len(translator.changes) == 4, "the other changes")
        assert ask(graph) == "5 5 nobody 60"
        assert [change["low"] for change in translator.changes] == [1, 2, 3, 4]


def test_thousand_changes_under_load(scale: int) -> None:
    """Valid ones and others, while fops read two options that always change together."""
    rounds = 1_000 // scale
    with graph_of(REFUSED, module="changes") as graph:
        translator = graph.translator("changes")
        stop = threading.Event()

        async def load() -> None:
            while not stop.is_set():
                await glupy.gather(*(graph.child.getxattr(file_of(graph), "user.options") for _ in range(8)))

        threads = [threading.Thread(target=graph.run, args=[load()]) for _ in range(2)]
        for thread in threads:
            thread.start()
        good = 0
        for number in range(rounds):
            options = {"module": "changes", "low": number + 2, "high": number + 2}
            bad = ({}, {"high": "x"}, {"hihg": 1}, {"low": -1})[number % 4]
            control.reconfigure(graph, "changes", {**options, **bad, "enabled": "off" if number % 5 == 0 else "on"})
            good += not bad
            assert (translator.low == number + 2) == (not bad)
        stop.set()
        for thread in threads:
            thread.join()
        assert len(translator.changes) == good == (rounds + 3) // 4
        assert translator.calls["getxattr"] and not translator.mixed


def test_enabled() -> None:
    with graph_of() as graph:
        translator = graph.translator("changes")
        assert ask(graph) == "1 1 nobody 60"
        control.reconfigure(graph, "changes", {"enabled": "off", "low": 2})
        calls_so_far = translator.calls["getxattr"]
        assert ask(graph) == "passed" and translator.calls["getxattr"] == calls_so_far
        assert translator.low == 2  # options and hooks go on
        control.reconfigure(graph, "changes", {"enabled": "on", "low": 2})
        assert ask(graph) == "2 1 nobody 60"


def test_enabled_off_at_the_start() -> None:
    with graph_of(enabled="off") as graph:
        assert ask(graph) == "passed" and not graph.translator("changes").calls
        control.reconfigure(graph, "changes", {})
        assert ask(graph) == "1 1 nobody 60"


def test_requests_inside_finish_when_switched_off() -> None:
    layers = [layer("sink", "glupytest/sink"), layer("control", "glupytest/control"), layer("scripted", "user/scripted")]
    with Graph(layers) as graph:
        translator = graph.translator("scripted")
        gates: list[Any] = []

        async def hold(*_: Any) -> Any:
            gates.append(glupy.Future())
            await gates[-1]
            return glupy.StatfsReply(glupy.Statvfs(f_bsize=4711))

        translator.answer = lambda self, name, frame, *args: hold() if name == "statfs" else None
        results: list[Any] = []
        threads = [threading.Thread(target=lambda: results.append(graph.run(graph.child.statfs(file_of(graph))))) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(gates) == 4, "the requests to be inside")
        control.reconfigure(graph, "scripted", {"enabled": "off"})
        assert graph.run(graph.child.statfs(file_of(graph))).buf.f_bsize != 4711
        for gate in gates:
            gate.set_result(None)
        for thread in threads:
            thread.join()
        assert [reply.buf.f_bsize for reply in results] == [4711] * 4


def test_common_options_live() -> None:
    layers = [layer("sink", "glupytest/sink"), layer("control", "glupytest/control"), layer("scripted", "user/scripted")]
    with Graph(layers, expected=(r"statfs of '/file' failed",)) as graph:

        def fail(self: Any, name: str, *_: Any) -> Any:
            return 3 if name == "statfs" else None

        graph.translator("scripted").answer = fail
        with pytest.raises(OSError):
            graph.run(graph.child.statfs(file_of(graph)))
        control.reconfigure(graph, "scripted", {"on-error": "pass"})
        assert graph.run(graph.child.statfs(file_of(graph))).buf.f_bsize
        control.reconfigure(graph, "scripted", {})
        with pytest.raises(OSError):
            graph.run(graph.child.statfs(file_of(graph)))


def test_interpreter_is_busy_elsewhere() -> None:
    """Python's main thread is held up: GlusterFS's thread goes on, and the change is made when it is free."""
    with graph_of(r"Python's main thread", low=5, high=5) as graph:
        translator = graph.translator("changes")
        blocked, release = threading.Event(), threading.Event()

        def block(changed: Any) -> None:
            blocked.set()
            release.wait()

        translator.on_change = block
        first = threading.Thread(target=control.reconfigure, args=[graph, "changes", {"low": 6, "high": 6}])
        first.start()
        try:
            assert blocked.wait(PATIENCE)
            control.reconfigure(graph, "changes", {"low": 7, "high": 7})  # comes back with the first one
            first.join(PATIENCE)
            assert not first.is_alive() and ask(graph) == "6 6 nobody 60"
            assert re.search(r"Python's main thread, which .*, has been at reconfigured\(\) of changes for \d+ seconds, so new "
                             r"options are put in force when it is free\nStack.*in block", graph.text(), re.S)
        finally:
            translator.on_change = lambda changed: None
            release.set()
        wait_until(lambda: ask(graph) == "7 7 nobody 60", "the second change")
