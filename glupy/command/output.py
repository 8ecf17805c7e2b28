"""What commands print: for people on a terminal, in plain lines elsewhere, as JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from glupy.command.problem import Problem

if TYPE_CHECKING:
    from rich.console import Console

F = TypeVar("F", bound=Callable[..., Any])

#: What --json of a command means, as a parameter `as_json`.
json_option: Callable[[F], F] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, for programs, in place of text.")


def print_json(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _console() -> Console:
    """A rich console without any magic: colours on a terminal alone, and elsewhere lines as long as they come."""
    try:
        from rich.console import Console  # a tenth of a second that commands without tables need not wait
    except ImportError as error:
        raise Problem(f"Python's package rich is missing ({error}); on Debian: apt install python3-rich") from None
    return Console(highlight=False, emoji=False, markup=False, soft_wrap=True,
                   width=None if sys.stdout.isatty() else 100_000)


def print_table(rows: Iterable[Sequence[str]], styles: Sequence[str]) -> None:
    """Columns side by side; the last one goes on below itself where a terminal is too narrow."""
    shown = _console()
    from rich.table import Table
    from rich.text import Text
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for style in styles:
        table.add_column(style=style, overflow="fold", no_wrap=not shown.is_terminal)
    for row in rows:
        table.add_row(*map(Text, row))
    if shown.is_terminal:
        shown.print(table)
        return
    with shown.capture() as captured:
        shown.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))
