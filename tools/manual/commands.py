"""The pages of the command and its subcommands: their help texts, arguments and options, as click knows them.

Help texts are Markdown. As in click's own output, a paragraph that begins with a line of ``\\b`` alone keeps its lines as
they are, and what follows ``\\f`` is not shown. Where such a paragraph's first line ends in a colon, it is a heading.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator

import click

from listing import definitions, escaped, link, sentence, summary


def pages(module: str) -> Iterator[tuple[str, str]]:
    """Name and text of each page. The module has the only click group."""
    loaded = importlib.import_module(module)
    (group,) = (value for value in vars(loaded).values() if isinstance(value, click.Group))
    yield from _walk(_context(group, "glupy"), [])


def _context(command: click.Command, name: str, parent: click.Context | None = None) -> click.Context:
    return click.Context(command, info_name=name, parent=parent, **command.context_settings)


def _walk(context: click.Context, above: list[str]) -> Iterator[tuple[str, str]]:
    """The page of a context's command and of all below it."""
    path = [*above, context.info_name or ""]
    below = _subcommands(context)
    yield "-".join(path), _page(context, path, below)
    for name, command in below.items():
        yield from _walk(_context(command, name, context), path)


def _subcommands(context: click.Context) -> dict[str, click.Command]:
    """The commands below one, without hidden ones, by name."""
    group = context.command
    if not isinstance(group, click.Group):
        return {}
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: command for name, command in found.items() if command and not command.hidden}


def _page(context: click.Context, path: list[str], below: dict[str, click.Command]) -> str:
    command = context.command
    name = "-".join(path)
    parts = [
        f"# {name}(1)",
        f"## Name\n\n{name} - {_short(command)}",
        f"## Synopsis\n\n**{' '.join(path)}** {_usage(context)}",
        f"## Description\n\n{_text(command.help)}",
        _section("Options", definitions(_options(context))),
        _section("Commands", definitions((link(f"{name}-{each}", 1), sentence(_short(found)))
                                         for each, found in below.items())),
        _text(command.epilog),
        f"## See also\n\n{', '.join(_neighbours(path))}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text}" if text else ""


def _short(command: click.Command) -> str:
    """What a command does, as it stands after the dash in a page's NAME."""
    return summary(command.short_help or _text(command.help))


def _usage(context: click.Context) -> str:
    return " ".join(f"*{escaped(piece)}*" for piece in context.command.collect_usage_pieces(context))


def _options(context: click.Context) -> Iterator[tuple[str, str]]:
    for param in context.command.get_params(context):
        record = param.get_help_record(context)  # None: an argument, or hidden
        if record:
            yield f"**{escaped(record[0])}**", record[1]


def _neighbours(path: list[str]) -> list[str]:
    """What else there is to read."""
    above = [link("-".join(path[:-1]), 1)] if len(path) > 1 else []
    return [*above, link("glupy.conf", 5), link("glupy-translators", 7)]


def _text(help: str | None) -> str:
    """A help text, with literal paragraphs as Markdown has them."""
    paragraphs = inspect.cleandoc((help or "").partition("\f")[0]).split("\n\n")
    return "\n\n".join(_literal(text) if text.startswith("\b") else text for text in paragraphs)


def _literal(paragraph: str) -> str:
    first, _, rest = (text := paragraph.removeprefix("\b").strip("\n")).partition("\n")
    if first.endswith(":") and not first.startswith(" "):
        return f"## {first.rstrip(':')}\n\n```\n{inspect.cleandoc(rest)}\n```"
    return f"```\n{text}\n```"
