"""The logs of a `glupy run`, on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from glupy.command.logs import LEVELS, Entry

if TYPE_CHECKING:
    from glupy.command.servers import Server

_COLOURS = {"M": "red", "A": "red", "C": "red", "E": "red", "W": "yellow", "N": "cyan"}


class Terminal:
    """Writes entries to standard error: all of the translator's, and of GlusterFS's own those that matter."""

    def __init__(self, name: str, traces: Sequence[str], verbose: bool) -> None:
        self.name = name
        self.traces = traces
        self.verbose = verbose

    def show(self, servers: Sequence[Server], ended: bool = False) -> list[Entry]:
        """Write what is new in the logs of processes, the oldest entry first. All that is new."""
        new = sorted((entry for server in servers for entry in server.log.entries(ended)), key=lambda entry: entry.time)
        for entry in new:
            if self.wanted(entry):
                self.write(entry)
        return new

    def wanted(self, entry: Entry) -> bool:
        if self.verbose or entry.name in self.traces:
            return True
        if " is not loaded: " in entry.text:
            return False  # becomes the command's own last word
        return not entry.usual and (entry.serious or entry.name == self.name)

    def write(self, entry: Entry) -> None:
        time = click.style(entry.time.strftime("%H:%M:%S.%f")[:-3], dim=True)
        if entry.name in self.traces:
            place = click.style(entry.name, fg="cyan" if entry.name == self.traces[0] else "blue")
            click.echo(f"{time} {place} {entry.text}", err=True)
            return
        level = click.style(LEVELS.get(entry.level, entry.level), fg=_COLOURS.get(entry.level))
        click.echo(f"{time} {level} {entry.name}: {entry.text.removeprefix(f'{entry.name}: ')}", err=True)
