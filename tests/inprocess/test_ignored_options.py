"""Volumes of type user/NAME, which glusterd makes of whatever `gluster volume set` was told: what is wrong with their
options is said, shown and ignored, and keeps no graph from starting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import calls, control, statedump
from support.graph import Graph
from support.volfiles import layer

BELOW = [layer("sink", "glupytest/sink"), layer("control", "glupytest/control")]
SAID = r"0-changes: changes: option "

#: Options that are wrong, and what is said of each.
WRONG: dict[str, tuple[object, str]] = {
    "hihg": (1, "option hihg is not declared by Changes; did you mean high? It has low (int, default 1)"),
    "high": ("many", 'option high is "many": expected a whole number such as 42, -1 or 0x2a; its {} value holds, {}'),
    "low": (-1, 'option low is "-1": must be at least 0; its {} value holds, {}'),
    "wait": ("soon", 'option wait is "soon": expected a duration such as 90, 90s, 5min, 2h, 1d, 1w; '
                     "its {} value holds, {}"),
    "on-error": ("EPERM", 'option on-error is "EPERM": must be one of EIO, pass; its {} value holds, EIO'),
    "enabled": ("perhaps", 'option enabled is "perhaps": expected one of on, yes, true, enable, 1 or off, no, false, '
                           "disable, 0; its {} value holds, on"),
    "budget": ("-1", 'option budget is "-1": must be at least 0.0; its {} value holds, 1.0'),
    "log-level": ("LOUD", 'option log-level is "LOUD": must be one of NONE, CRITICAL, ERROR, WARNING, INFO, DEBUG, TRACE; '
                          "its {} value holds, none"),
    "interpreters": ("few", 'option interpreters is "few": expected a whole number such as 42, -1 or 0x2a; '
                            "its {} value holds, 1"),
}


def ask(graph: Graph) -> str:
    """The options that the translator changes finds."""
    answer = graph.run(graph.child.getxattr(calls.loc_of(graph.probe.itable, "file"), "user.options")).dict
    return bytes(answer["user.options"]).decode() if "user.options" in answer else "passed"


def said(graph: Graph, sentence: str) -> int:
    """How often the log has it at ERROR."""
    return sum(level == "E" and sentence in text for level, text in graph.entries())


def shown(graph: Graph, name: str) -> str | None:
    """What the statedump has of an ignored option."""
    lines = [line for line in statedump.text(graph).splitlines() if f"options.ignored.{name}=" in line]
    return lines[0].partition("=")[2] if lines else None


@pytest.mark.parametrize("name", WRONG)
def test_item_18_wrong_at_the_start(name: str) -> None:
    text, sentence = WRONG[name]
    sentence = sentence.format("default", "60" if name == "wait" else "1")
    values = {"low": 5, "high": 5, "wait": "2min", "log-level": "CRITICAL", name: text}
    gluster = ("option log-level LOUD", "key=log-level", "Invalid log-level")
    with Graph([*BELOW, layer("changes", "user/changes", **values)], expected=(SAID, *gluster)) as graph:
        assert ask(graph) == " ".join(["1" if name == "low" else "5", "1" if name == "high" else "5", "nobody",
                                       "60" if name == "wait" else "120"])
        assert said(graph, sentence) == 1
        assert (shown(graph, name) or "").startswith(sentence)


@pytest.mark.parametrize("name", WRONG)
def test_item_18_wrong_later(name: str) -> None:
    """The last good value stays, and the others change."""
    text, sentence = WRONG[name]
    sentence = sentence.format("last", {"wait": "120"}.get(name, "5"))
    with Graph([*BELOW, layer("changes", "user/changes", low=5, high=5, wait="2min")], expected=(SAID,)) as graph:
        control.reconfigure(graph, "changes", {"low": 6, "high": 6, "wait": "3min", "name-of": "me", name: text})
        assert ask(graph) == " ".join(["5" if name == "low" else "6", "5" if name == "high" else "6", "me",
                                       "120" if name == "wait" else "180"])
        assert said(graph, sentence) == 1
        assert (shown(graph, name) or "").startswith(sentence)
        control.reconfigure(graph, "changes", {"low": 7, "high": 7})
        assert ask(graph) == "7 7 nobody 60"
        assert shown(graph, name) is None


def test_item_18_several_at_once() -> None:
    """All are named, whatever the translator's own log level."""
    values = {name: text for name, (text, _) in WRONG.items() if name != "log-level"}
    values["log-level"] = "NONE"
    with Graph([*BELOW, layer("changes", "user/changes", **values)], expected=(SAID,)) as graph:
        assert ask(graph) == "1 1 nobody 60"
        for name in values.keys() - {"log-level"}:
            assert said(graph, WRONG[name][1].format("default", "60" if name == "wait" else "1")) == 1


@pytest.mark.parametrize("module", ["talks", "../talks", "no_such_module", ""])
def test_item_18_another_module(module: str) -> None:
    """What is no module is not looked for; another one takes a new graph."""
    with Graph([*BELOW, layer("changes", "user/changes", low=5)], expected=(SAID,)) as graph:
        control.reconfigure(graph, "changes", {"low": 6, "module": module})
        assert ask(graph) == "6 1 nobody 60"
        assert said(graph, f'option module is "{module}", and was "" when the graph was built') == bool(module)
    if module in ("../talks", "no_such_module"):
        with Graph([*BELOW, layer("changes", "user/changes", low=5, module=module)], expected=(SAID,)) as graph:
            assert ask(graph) == "5 1 nobody 60"
            assert said(graph, "The translator of the volume's type, changes, is loaded instead") == 1
            control.reconfigure(graph, "changes", {"low": 6, "module": module})
            assert "is loaded instead" in (shown(graph, "module") or "")


#: A translator with an option that has no default.
NEEDS = """\
from glupy import Option, Translator


class Needs(Translator):
    limit = Option(int, help="how many")

    def unlink(self, frame, loc, xflags, xdata):
        raise FileNotFoundError(2, str(self.limit))
"""


def test_item_18_a_required_one_that_goes(trusted: Path) -> None:
    (trusted / "needs.py").write_text(NEEDS)
    with Graph([*BELOW, layer("needs", "user/probe", module="needs", limit=4)], folder=trusted,
               expected=("0-needs: needs: ",)) as graph:
        for options in ({}, {"limit": "x"}):
            control.reconfigure(graph, "needs", {"module": "needs", **options})
            assert graph.translator("needs").limit == 4
        assert said(graph, "option limit is missing: Needs needs it (how many); its last value holds, 4") == 1
        assert said(graph, 'option limit is "x": expected a whole number such as 42, -1 or 0x2a; its last value holds, 4')


def test_item_18_a_classic_one() -> None:
    old = layer("old", "user/classic_pass_all", budget="x", interpreters=3)
    with Graph([*BELOW, old], expected=("0-old: old: ",)) as graph:
        entries = [text for level, text in graph.entries() if level == "E" and " 0-old: old: option " in text]
        assert len(entries) == 2
        assert any("option interpreters is for translators of glupy's own API" in text for text in entries)
        graph.run(graph.child.stat(calls.loc_of(graph.probe.itable, "file")))
