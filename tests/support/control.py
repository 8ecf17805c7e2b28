"""The layer glupytest/control: what GlusterFS does to a graph, done when a test says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from support.graph import Graph

_RECONFIGURE, _EVENT, _OPTIONS, _HEARD = range(0x636F6E30, 0x636F6E34)


def _find(graph: Graph, name: str) -> Any:
    child = graph.child
    while child.name != name:
        child = child.children[0]
    return child


def reconfigure(graph: Graph, name: str, options: dict[str, object], *, through: str = "control") -> None:
    """GlusterFS's reconfigure of a layer, with all options that the new volfile gives."""
    texts = {f"option {key}": str(value) for key, value in options.items()}
    graph.run(_find(graph, through).ipc(_RECONFIGURE, {"layer": name, **texts}))


def event(graph: Graph, name: str, number: int, child: str | None = None, *, through: str = "control") -> None:
    """Let a layer hear of an event, as from one of its children or from nobody."""
    extra = {} if child is None else {"from": child}
    graph.run(_find(graph, through).ipc(_EVENT, {"layer": name, "event": int(number), **extra}))


def meta_options(graph: Graph, name: str, *, through: str = "control") -> dict[str, str]:
    """The options of a layer that GlusterFS shows."""
    answer = graph.run(_find(graph, through).ipc(_OPTIONS, {"layer": name})).xdata
    return {key.removeprefix("option "): str(answer[key]) for key in answer}


def heard(graph: Graph, through: str = "control") -> dict[int, int]:
    """How often a control layer has heard of each event."""
    answer = graph.run(_find(graph, through).ipc(_HEARD, {})).xdata
    return {int(key.removeprefix("event ")): int(answer[key]) for key in answer if int(answer[key])}
