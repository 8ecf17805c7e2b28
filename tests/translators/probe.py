"""The top of a graph in the test's own process: hands itself to the test, which winds through it."""

from __future__ import annotations

from support.graph import arrived

from glupy import Option, Translator


class Probe(Translator):
    key = Option(str, default="", help="the graph that waits for this translator")

    def init(self) -> None:
        arrived(self.key, self)
