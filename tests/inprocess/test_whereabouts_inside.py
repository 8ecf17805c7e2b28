"""Where a translator stands, in graphs of this process, and what a kept child says when its graph has gone."""

from __future__ import annotations

import pytest
from support.graph import Graph
from support.volfiles import layer


def test_options_of_a_child_end_with_the_graph() -> None:
    with Graph([layer("sink", "glupytest/sink"), layer("here", "user/pass_all", how="looked_into")]) as graph:
        child, options = graph.child, graph.child.options
        assert options == {"how": "looked_into"}
        options["how"] = "changed"
        assert child.options == {"how": "looked_into"}
        here = graph.translator("here")
        assert (here.brick_path, here.side) == (None, "client")
        assert here.volume == "test"  # what the program with libgfapi asked for
    for look in (lambda: child.options, lambda: here.side, lambda: here.volume, lambda: here.brick_path):
        with pytest.raises(ReferenceError):
            look()
