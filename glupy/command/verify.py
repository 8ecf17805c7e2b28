"""`glupy verify`: whether a chain of records is as it was written."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from glupy.command import output
from glupy.command.problem import Problem
from glupy.records.chain import check


@click.command(short_help="Find what was done to an audit trail afterwards.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--expect", "expected", multiple=True, metavar="HASH",
              help="A line with this hash has to be there, such as one that this command has shown before. Several times.")
@output.json_option
def command(files: tuple[Path, ...], expected: tuple[str, ...], as_json: bool) -> None:
    """Say whether lines were removed, changed, moved or added between others in FILEs that a translator has written with a
    chain, such as those of audit with `option chain on`: each line holds the hash of the one before.

    Give all files of a chain, the oldest first; those with the ending .gz are decompressed. The first line may go on after one
    in a file that is not there any more. Lines at the end that were removed are known by FILE.head, which is beside the file
    that is being written. The hash of the last line is shown: noted elsewhere, it says later, by --expect, that all up to that
    line is as it was.

    With --json it is an object with lines, head, before (lines that were written without a chain), broken (objects with file,
    line and what) and missing (hashes). The exit status is 1 if anything is broken or missing.
    """
    try:
        found = check(files, expected)
    except OSError as error:
        raise Problem(f"{error.filename}: {error.strerror}") from None
    if as_json:
        output.print_json({**asdict(found), "broken": [{**asdict(each), "file": str(each.file)} for each in found.broken],
                           "missing": sorted(found.missing)})
    else:
        for broken in found.broken:
            click.echo(f"{broken.file}{f':{broken.line}' if broken.line else ''}: {broken.what}")
        for missing in sorted(found.missing):
            click.echo(f"no line has the hash {missing}")
        if found.before:
            click.echo(f"{found.before} lines before the chain")
        click.echo(f"{found.lines} lines, the last one with the hash {found.head}")
    sys.exit(1 if found.broken or found.missing else 0)
