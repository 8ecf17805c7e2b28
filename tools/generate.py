#!/usr/bin/python3
"""Write what is derived from the fop table: ``generate.py TEMPLATE OUTPUT``.

A template is the text to write, with the table's entries filled in by Jinja2: ``%% for fop in fops`` … ``%% endfor`` on
lines of their own repeat what stands between them, ``@{ fop.name }@`` puts a value in. Templates see ``fops`` (see
fops.Fop) and the filters below. Output is written only when it changes, and never by hand.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import jinja2

import fops
import kinds


def _declarations(params: Iterable[fops.Param]) -> str:
    """Parameters as C declares them, each led by a comma."""
    return "".join(f", {param.declaration}" for param in params)


def _names(params: Iterable[fops.Param]) -> str:
    """Parameters as C passes them, each led by a comma."""
    return "".join(f", {param.name}" for param in params)


def _member(param: fops.Param) -> str:
    """The member of a generated structure that stands for a parameter."""
    payload = {"struct iovec *": "vector.vector", "struct iobref *": "vector.iobref"}
    return payload.get(param.ctype, "vector.count" if param.name == "count" else param.name)


def _members(params: Iterable[fops.Param], pointer: str) -> str:
    """The members of a generated structure that stand for parameters, each led by a comma."""
    return "".join(f", {pointer}->{_member(param)}" for param in params)


def _bits(fields: Iterable[fops.Field], *kinds: str) -> str:
    """Which of the fields are of one of these kinds: a bit for each."""
    return hex(sum(1 << i for i, field in enumerate(fields) if field.kind.name in kinds))


def _classic_type(param: fops.Param) -> str:
    """What a parameter is in the classic API, as C has it."""
    return kinds.CLASSIC[param.ctype][0]


def _ctypes(params: Iterable[fops.Param]) -> str:
    """Parameters as ctypes has them, each led by a comma."""
    return "".join(f", {kinds.CLASSIC[param.ctype][1]}" for param in params)


def render(template: Path) -> str:
    """The text of a template, filled in."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        undefined=jinja2.StrictUndefined,
        line_statement_prefix="%%",
        line_comment_prefix="%#",
        variable_start_string="@{",
        variable_end_string="}@",
        keep_trailing_newline=True,
        trim_blocks=True,
    )
    environment.filters["declarations"] = _declarations
    environment.filters["names"] = _names
    environment.filters["member"] = _member
    environment.filters["members"] = _members
    environment.filters["classic_type"] = _classic_type
    environment.filters["ctypes"] = _ctypes
    environment.filters["bits"] = _bits
    return environment.get_template(template.name).render(fops=fops.load())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("template", type=Path)
    parser.add_argument("output", type=Path)
    options = parser.parse_args()
    try:
        text = render(options.template)
    except (fops.TableError, jinja2.TemplateError) as error:
        print(f"{options.template}: {error}", file=sys.stderr)
        return 1
    if not options.output.exists() or options.output.read_text(encoding="utf-8") != text:
        options.output.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
