"""Small pieces of Markdown that several pages are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable


def definitions(entries: Iterable[tuple[str, str]]) -> str:
    """A list of terms, each with what is to be said of it; both are Markdown."""
    rows = "".join(f"<dt>\n\n{term}\n\n</dt>\n<dd>\n\n{said}\n\n</dd>\n" for term, said in entries)
    return f"<dl>\n{rows}</dl>\n" if rows else ""


def link(name: str, section: int) -> str:
    """A link to a manual page."""
    return f"[{name}({section})]({name}.{section}.md)"


def summary(text: str) -> str:
    """The first sentence of a text, in one line, as it stands after the dash in a page's NAME."""
    paragraph = " ".join(text.strip().partition("\n\n")[0].split())
    first = re.split(r"(?<=[.:;])\s", paragraph)[0].rstrip(".:;")
    return first[:1].lower() + first[1:] if first.partition(" ")[0][1:].islower() else first


def escaped(text: str) -> str:
    """Plain text, as Markdown."""
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", text)


def sentence(text: str) -> str:
    """Text with a capital letter and a full stop."""
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else ""
