"""Events that go through a graph, a translator's beginning and end, and what it does in the background."""

from __future__ import annotations

import inspect
import threading
from typing import Any

import glupy
import pytest
from glupy import Event, _core
from support import control
from support.graph import Graph, GraphFailed
from support.volfiles import layer
from support.waiting import PATIENCE, wait_until


def layers() -> list[Any]:
    return [layer("sink", "glupytest/sink"), layer("changes", "user/changes"), layer("control", "glupytest/control")]


def test_events_are_gluster_s() -> None:
    assert {event.name: int(event) for event in Event} == _core.EVENTS


def test_start_and_end() -> None:
    with Graph(layers()) as graph:
        translator = graph.translator("changes")
        assert translator.heard == [(Event.PARENT_UP, None), (Event.CHILD_UP, translator.child)]
        assert control.heard(graph)[Event.CHILD_UP] == 1
        assert translator.ended == 0
    assert translator.heard[2:] == [(Event.PARENT_DOWN, None), (Event.CHILD_DOWN, translator.child)]
    assert translator.ended == 1


def test_every_event_goes_its_way() -> None:
    down = {Event.PARENT_UP, Event.CLEANUP}
    skipped = {Event.PARENT_DOWN, Event.UPCALL, Event.CHILD_PING}  # the end; two that carry something
    with Graph([*layers()[:1], layer("low", "glupytest/control"), *layers()[1:]]) as graph:
        translator = graph.translator("changes")
        for event in [event for event in Event if event not in skipped]:
            towards = "low" if event in down or event.name == "SIGHUP" else "control"
            translator.heard.clear()
            before = control.heard(graph, towards).get(event, 0)
            control.event(graph, "changes", event)
            assert (event, None) in translator.heard
            assert control.heard(graph, towards)[event] == before + 1, event
        control.event(graph, "changes", Event.CHILD_CONNECTING, "low")
        event, child = translator.heard[-1]
        assert event is Event.CHILD_CONNECTING and child is translator.child


@pytest.mark.parametrize(("answer", "passes"), [(None, True), (True, True), (False, False), (0, True), ("raises", True)])
def test_kept_and_passed_on(answer: Any, passes: bool) -> None:
    with Graph(layers(), expected=("notify failed",)) as graph:
        translator = graph.translator("changes")

        def hear(event: Any, data: Any) -> Any:
            if answer == "raises":
                raise ValueError("at an event")
            return answer

        translator.on_event = hear
        control.event(graph, "changes", Event.SOME_DESCENDENT_UP)
        translator.on_event = lambda event, data: None
        assert (Event.SOME_DESCENDENT_UP in control.heard(graph)) == passes
        assert ("changes: notify failed\nTraceback" in graph.text()) == (answer in (0, "raises") and answer is not False)


def test_sends_events_itself() -> None:
    with Graph([*layers()[:1], layer("low", "glupytest/control"), *layers()[1:]]) as graph:
        translator = graph.translator("changes")
        translator.notify_up(Event.CHILD_DOWN)
        translator.notify_up(Event.CHILD_UP)
        heard = control.heard(graph)
        assert heard[Event.CHILD_DOWN] == 1 and heard[Event.CHILD_UP] == 2
        translator.notify_down(Event.CLEANUP)
        assert control.heard(graph, "low")[Event.CLEANUP] == 1
        for wrong in (0, -1, 99):
            with pytest.raises(ValueError, match="expected an event of GlusterFS's"):
                translator.notify_up(wrong)


def test_sends_an_event_from_within_notify() -> None:
    """Through another translator in Python, whose notify() also runs on the main thread."""
    with Graph([*layers()[:2], layer("above", "user/changes"), *layers()[2:]]) as graph:
        translator, above = graph.translator("changes"), graph.translator("above")
        translator.on_event = lambda event, data: translator.notify_up(Event.SOME_DESCENDENT_DOWN)
        control.event(graph, "changes", Event.SOME_DESCENDENT_UP)
        translator.on_event = lambda event, data: None
        assert above.heard[-2:] == [(Event.SOME_DESCENDENT_DOWN, above.child), (Event.SOME_DESCENDENT_UP, above.child)]


# In the background


def from_source(trusted: Any, text: str) -> list[Any]:
    (trusted / "author.py").write_text(text)
    return [layer("sink", "glupytest/sink"), layer("author", "features/glupy", module="author"),
            layer("control", "glupytest/control")]


def test_tasks_wait_for_the_first_child(trusted: Any) -> None:
    source = """
import glupy
from glupy import Event, Translator

class Author(Translator):
    def init(self):
        self.order = ["init"]
        self.spawn(self.work())
        self.never = self.spawn(self.work())
        assert self.never.cancel() and not self.never.cancel()

    def notify(self, event, data):
        self.order.append(event.name)

    async def work(self):
        self.order.append("work")
        await self.child.statfs(glupy.Loc("/", inode=self.itable.root))
        self.order.append("done")
"""
    with Graph(from_source(trusted, source), folder=trusted) as graph:
        translator = graph.translator("author")
        wait_until(lambda: "done" in translator.order, "the task")
        assert translator.order == ["init", "PARENT_UP", "CHILD_UP", "work", "done"]
        wait_until(translator.never.done, "the cancelled task")


def test_what_a_failing_init_has_spawned(trusted: Any) -> None:
    """It never begins, and is closed."""
    source = """
import support.control
from glupy import Translator

class Author(Translator):
    def init(self):
        support.control.left = self.work()
        self.spawn(support.control.left)
        raise ValueError("no")

    async def work(self):
        pass
"""
    with pytest.raises(GraphFailed, match="Author.init failed: ValueError: no"):
        Graph(from_source(trusted, source), folder=trusted).__enter__()
    left: Any = vars(control).pop("left")
    wait_until(lambda: inspect.getcoroutinestate(left) == inspect.CORO_CLOSED, "the coroutine's end")


def test_every(trusted: Any) -> None:
    source = """
from glupy import Translator

class Author(Translator):
    def init(self):
        self.plain = self.coroutine = self.raising = 0
        self.first = self.every(0.001, self.work)
        self.second = self.every(0.001, self.work_later)
        self.third = self.every(0.001, self.fail)

    def work(self):
        self.plain += 1

    async def work_later(self):
        await self.child.statfs(__import__("glupy").Loc("/", inode=self.itable.root))
        self.coroutine += 1

    def fail(self):
        self.raising += 1
        if self.raising < 3:
            raise ValueError("again")
"""
    expected = (r"every 0.001 s, fail failed\nTraceback",)
    with Graph(from_source(trusted, source), folder=trusted, expected=expected) as graph:
        translator = graph.translator("author")
        wait_until(lambda: min(translator.plain, translator.coroutine, translator.raising) > 3, "the functions")
        assert "author: every 0.001 s, fail failed" in graph.text()
        assert translator.first.cancel() and translator.second.cancel()
        wait_until(lambda: translator.first.done() and translator.second.done(), "the end of both")
        assert not translator.third.done()
        for wrong in (0, -1, float("nan")):
            with pytest.raises(ValueError, match="expected seconds above 0"):
                translator.every(wrong, translator.work)
    assert translator.third.done()
    with pytest.raises((ReferenceError, RuntimeError)):
        translator.every(1, translator.work)


def test_fini_after_the_last_request() -> None:
    """PARENT_DOWN while a request is inside: fini() waits for it, and what comes later passes by."""
    with Graph([*layers(), layer("top", "glupytest/control")]) as graph:
        translator = graph.translator("changes")
        translator.on_event = lambda event, data: None
        control.event(graph, "changes", Event.PARENT_DOWN, through="top")
        wait_until(lambda: translator.ended == 1, "fini()")
        with pytest.raises(RuntimeError, match="graph of this translator is going"):
            translator.every(1, print)
        before = translator.calls["getxattr"]
        loc = glupy.Loc("/", inode=graph.probe.itable.root)
        graph.run(graph.child.getxattr(loc, "user.options"))
        del loc
        assert translator.calls["getxattr"] == before
    assert translator.ended == 1


def test_fini_waits_for_requests() -> None:
    stack = [layer("sink", "glupytest/sink"), layer("scripted", "user/scripted"), layer("control", "glupytest/control")]
    with Graph(stack) as graph:
        translator = graph.translator("scripted")
        gate, inside, ended = glupy.Future(), threading.Event(), threading.Event()

        async def hold() -> Any:
            inside.set()
            await gate
            assert not ended.is_set()
            raise PermissionError

        translator.fini = ended.set
        translator.answer = lambda self, name, frame, *args: hold() if name == "statfs" else None
        errors: list[Any] = []

        def ask() -> None:
            try:
                graph.run(graph.child.statfs(glupy.Loc("/", inode=graph.probe.itable.root)))
            except OSError as error:
                errors.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        assert inside.wait(PATIENCE)
        control.event(graph, "scripted", Event.PARENT_DOWN)
        assert not ended.is_set()
        gate.set_result(None)
        thread.join()
        assert ended.wait(PATIENCE) and isinstance(errors[0], PermissionError)
