"""`glupy show`: one translator, as it describes itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from glupy.command import list as listing
from glupy.command import output, reading, sources
from glupy.command.reading import Reading
from glupy.command.sources import Source
from glupy.errors import LoadError
from glupy.loading import finding
from glupy.options import common
from glupy.options.option import Option


def _complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names for the shell to complete."""
    try:
        return [found.name for found in listing.translators() if found.name.startswith(incomplete)]
    except LoadError:
        return []


@click.command(short_help="Show a translator's documentation, options and fops.")
@click.argument("name", shell_complete=_complete)
@output.json_option
def command(name: str, as_json: bool) -> None:
    """Show the documentation of the translator NAME, its options with their types, defaults and bounds, and the file
    operations (fops) that it defines. NAME may also be the path of a file. The translator is imported for that.

    With --json it is an object with name, file, documentation, options, fops (those with a method of their own),
    any_fop (those that any_fop handles) and hooks. A classic translator, written for the first glupy, declares
    nothing of all that, and has `classic` true.
    """
    with reading.read(_source(name)) as translator:
        shown = describe(translator)
        if as_json:
            output.print_json(shown)
        else:
            _print(translator)


def describe(translator: Reading) -> dict[str, Any]:
    """All that is known of a translator, as plain values."""
    return {
        "name": translator.source.name,
        "file": str(translator.source.file),
        "classic": translator.cls is None,
        "documentation": translator.documentation,
        "options": [_option(each) for each in translator.options.values()],
        "common_options": [_option(each) for each in common.OPTIONS.values()] if translator.cls else [],
        "fops": translator.own_fops,
        "any_fop": translator.any_fops,
        "hooks": translator.hooks,
    }


def _source(name: str) -> Source:
    """The file of a translator that is named, or whose path is given."""
    if os.sep in name or name.endswith(".py"):
        return sources.named(name)
    finding.module_name("user/glupy", {"module": name})
    return Source(name, finding.find(name, finding.configuration().folders))


def _option(option: Option[Any]) -> dict[str, Any]:
    return {
        "name": option.name, "type": kind(option), "required": option.required,
        "default": None if option.required else _plain(option.default),
        "min": _plain(option.min), "max": _plain(option.max), "choices": list(map(_plain, option.choices)),
        "help": option.help,
    }


def kind(option: Option[Any]) -> str:
    """The type of an option, as its author writes it."""
    name: str = option.type.__name__ if isinstance(option.type, type) else option.type
    return name


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _print(translator: Reading) -> None:
    click.echo(click.style(translator.source.name, bold=True) + f"  {translator.source.file}")
    if translator.documentation:
        click.echo(f"\n{translator.documentation}")
    if translator.cls is None:
        click.echo("\nA classic translator, written for the first glupy.")
        return
    _print_options("Options", translator.options)
    _print_options("Options of every translator", common.OPTIONS)
    _print_names("Fops", translator.own_fops)
    _print_names("Fops by any_fop", translator.any_fops)
    _print_names("Hooks", translator.hooks)


def _print_options(title: str, options: Mapping[str, Option[Any]]) -> None:
    if options:
        click.echo(f"\n{click.style(title, bold=True)}")
        output.print_table([(f"  {each.name}", kind(each), _limits(each), each.help) for each in options.values()],
                           ("cyan", "", "", ""))


def _limits(option: Option[Any]) -> str:
    """Default and bounds in words."""
    parts = ["required" if option.required else f"default {option.default}" if option.default is not None else ""]
    parts += [f"{word} {bound}" for word, bound in (("min", option.min), ("max", option.max)) if bound is not None]
    parts += [f"one of {', '.join(map(str, option.choices))}" if option.choices else ""]
    return ", ".join(filter(None, parts))


def _print_names(title: str, names: list[str]) -> None:
    if names:
        click.echo(f"\n{click.style(title, bold=True)}\n{click.wrap_text(' '.join(names), 100, '  ', '  ')}")
