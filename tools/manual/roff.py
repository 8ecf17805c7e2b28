"""A page for man: its elements as roff, with the macros of man(7) and tbl(1)'s for tables."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

if TYPE_CHECKING:
    from pages import Page

_ESCAPES = {"\\": "\\e", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq"}
_MANUAL = re.compile(r"(\S+)(\(\d\))")


def render(page: Page, version: str) -> str:
    """A page's roff. Its date is that of the release, where the build says so."""
    stamp = os.environ.get("SOURCE_DATE_EPOCH")
    date = f"{datetime.fromtimestamp(int(stamp), timezone.utc):%Y-%m-%d}" if stamp else ""
    name = page.path.stem.rpartition(".")[0]
    lines = ["'\\\" t", f'.TH "{_plain(name.upper())}" {page.section} "{date}" "glupy {version}" "glupy"']
    for element in page.tree():
        lines += _block(element)
    return re.sub(r"^(\.S[HS] .*)\n\.PP$", r"\1", "\n".join(lines), flags=re.MULTILINE) + "\n"


def _block(element: Element) -> list[str]:
    return _BLOCKS[element.tag](element)


def _title(element: Element) -> list[str]:
    return []  # .TH has it


def _section(element: Element) -> list[str]:
    return [f".SH {_inline(element).upper()}"]


def _subsection(element: Element) -> list[str]:
    return [f".SS {_inline(element)}"]


def _paragraph(element: Element) -> list[str]:
    return [".PP", *_lines(element)]


def _literal(element: Element) -> list[str]:
    text = "".join(element.itertext()).rstrip("\n")
    return [".PP", ".RS 4", ".EX", *map(_guarded, _code(text).split("\n")), ".EE", ".RE"]


def _bullets(element: Element) -> list[str]:
    return _list(element, lambda number: ".IP \\(bu 2")


def _numbers(element: Element) -> list[str]:
    return _list(element, lambda number: f".IP {number}. 4")


def _list(element: Element, mark: Callable[[int], str]) -> list[str]:
    lines = []
    for number, item in enumerate(element, 1):
        lines += [mark(number), *_inside(item)]
    return lines


def _definitions(element: Element) -> list[str]:
    lines = []
    for item in element:
        lines += [".TP", " ".join(_inside(item))] if item.tag == "dt" else _inside(item)
    return lines


def _inside(item: Element) -> list[str]:
    """What stands in a list's item: its first paragraph after the mark, everything else indented as it is."""
    blocks = [child for child in item if child.tag in _BLOCKS]
    if not blocks:
        return _lines(item)
    first, *rest = blocks
    lines = _lines(first) if first.tag == "p" else _block(first)
    if blocks[0].tag != "p" and (item.text or "").strip():  # a tight list's text, with a list below it
        lines = [*_guarded_lines(_text(item.text)), *lines]
    if rest:
        lines += [".RS", *(line for block in rest for line in _block(block)), ".RE"]
    return lines


def _table(element: Element) -> list[str]:
    rows = list(element.iter("tr"))
    columns = len(rows[0])
    lines = [".PP", ".TS", "tab(\t);", " ".join(["lb"] * columns), " ".join([*["l"] * (columns - 1), "lx."])]
    for row in rows:
        cells = ["T{\n" + "\n".join(_lines(cell)) + "\nT}" for cell in row]
        lines.append("\t".join(cells))
    return [*lines, ".TE"]


_BLOCKS: dict[str, Callable[[Element], list[str]]] = {
    "h1": _title,
    "h2": _section,
    "h3": _subsection,
    "p": _paragraph,
    "pre": _literal,
    "ul": _bullets,
    "ol": _numbers,
    "dl": _definitions,
    "table": _table,
}


def _lines(element: Element) -> list[str]:
    return _guarded_lines(_inline(element))


def _guarded_lines(text: str) -> list[str]:
    return [_guarded(line.strip()) for line in text.strip().split("\n")]


def _guarded(line: str) -> str:
    """A line that roff does not take for a request."""
    return f"\\&{line}" if line.startswith((".", "'")) else line


def _inline(element: Element) -> str:
    return "".join(_pieces(element))


def _pieces(element: Element) -> Iterator[str]:
    yield _text(element.text)
    for child in element:
        yield _marked(child)
        yield _text(child.tail)


def _marked(element: Element) -> str:
    if element.tag == "code":
        return f"\\fB{_code(''.join(element.itertext()))}\\fR"
    if element.tag == "a":
        return _link(element)
    if element.tag == "br":
        return "\n.br\n"
    font = {"strong": "B", "em": "I"}[element.tag]
    return f"\\f{font}{_dashes(_inline(element))}\\fR"


def _link(element: Element) -> str:
    text, target = _inline(element), element.get("href", "")
    manual = _MANUAL.fullmatch(text)
    if manual:
        return f"\\fB{_dashes(manual[1])}\\fR{manual[2]}"
    if "://" in target:
        return text if target in text else f"{text} <{_plain(target)}>"
    document = target.rpartition("/")[2].removesuffix(".md")
    return f"{text} ({_plain(document)}.html)" if document and not document.startswith("#") else text


def _dashes(text: str) -> str:
    """Text that somebody may type: its dashes are those of the keyboard."""
    return re.sub(r"(?<!\\)-", r"\\-", text)


def _text(text: str | None) -> str:
    """Prose."""
    return re.sub(r"[\\^~`]", lambda found: _ESCAPES[found[0]], text or "").replace(" - ", " \\- ")


def _code(text: str) -> str:
    return _dashes(re.sub(r"[\\^~`'\"]", lambda found: _ESCAPES[found[0]], text))


def _plain(text: str) -> str:
    """An argument of a macro."""
    return text.replace("\\", "\\e").replace('"', "\\(dq").replace("-", "\\-")
