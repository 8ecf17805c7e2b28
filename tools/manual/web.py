"""Pages for browsers, with links that lead from one to the other wherever the folder is put."""

from __future__ import annotations

import html
import os
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pages

if TYPE_CHECKING:
    from pages import Page

_STYLE = Path(__file__).with_name("style.css")

_FRAME = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="{style}">
</head>
<body>
<nav>
{menu}
</nav>
{body}
<footer>glupy {version}</footer>
</body>
</html>
"""


class BrokenLink(Exception):
    """A link that leads to no page, or to no heading of it."""


def write(found: list[Page], folder: Path, version: str) -> None:
    """Write pages, and the pictures in them, into a folder."""
    trees = {page.path: page.tree() for page in found}
    for tree in trees.values():
        _name_headings(tree)
    writer = _Writer(trees, folder)
    for page in found:
        writer.follow_links(page.path)
    for page in found:
        writer.write(page, found, version)
    shutil.copyfile(_STYLE, folder / _STYLE.name)


def address(path: Path) -> Path:
    """Where a page or picture of the checkout stands in the folder."""
    if path == Path("README.md"):
        return Path("index.html")
    inside = path.relative_to("docs")
    return inside.with_suffix(".html") if inside.suffix == ".md" else inside


class _Writer:
    def __init__(self, trees: dict[Path, Element], folder: Path) -> None:
        self.trees = trees
        self.folder = folder
        self.names = {path: {found.get("id") for found in tree.iter() if found.get("id")}
                      for path, tree in trees.items()}

    def write(self, page: Page, found: list[Page], version: str) -> None:
        target = self.folder / address(page.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        body = ElementTree.tostring(self.trees[page.path], encoding="unicode", method="html")
        target.write_text(_FRAME.format(
            title=html.escape(page.title), style=_relative(Path(_STYLE.name), address(page.path)),
            menu=_menu(page, found), body=body, version=version), encoding="utf-8")

    def follow_links(self, path: Path) -> None:
        """Have the links of a page lead to where they should."""
        for element in self.trees[path].iter():
            if element.tag == "a" and "://" not in element.get("href", ""):
                self.follow(element, path)
            elif element.tag == "img":
                self.copy_picture(element, path)

    def follow(self, element: Element, path: Path) -> None:
        where, _, heading = element.get("href", "").partition("#")
        target = _beside(path, where) if where else path
        target = _described(target)
        if target not in self.trees:
            if where.endswith(".md") or not (pages.ROOT / target).exists():
                raise BrokenLink(f"{path}: {element.get('href')} leads to nothing")
            element.tag = "span"  # a file of the checkout's: it is not here
            element.attrib.clear()
            return
        if heading and heading not in self.names[target]:
            raise BrokenLink(f"{path}: {element.get('href')}: that page has no such heading")
        element.set("href", _relative(address(target), address(path)) + (f"#{heading}" if heading else ""))

    def copy_picture(self, element: Element, path: Path) -> None:
        picture = _beside(path, element.get("src", ""))
        target = self.folder / address(picture)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(pages.ROOT / picture, target)
        element.set("src", _relative(address(picture), address(path)))


def _beside(path: Path, link: str) -> Path:
    """What a relative link in a page leads to, from the checkout."""
    return Path(os.path.normpath(path.parent / link))


def _described(target: Path) -> Path:
    """A translator's source stands for its page."""
    if target.parent == Path("translators") and target.suffix == ".py":
        return pages.MAN / f"glupy-{target.stem}.7.md"
    return target


def _relative(target: Path, path: Path) -> str:
    return os.path.relpath(target, path.parent)


def _name_headings(tree: Element) -> None:
    """Give headings the names that links to them have, as where the checkout is shown."""
    seen: Counter[str] = Counter()
    for element in tree.iter():
        if re.fullmatch("h[1-6]", element.tag):
            text = "".join(element.itertext()).strip().lower()
            name = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
            element.set("id", f"{name}-{seen[name]}" if seen[name] else name)
            seen[name] += 1


def _menu(page: Page, found: list[Page]) -> str:
    """Links to all pages, the manual's after the others."""
    lists = []
    for name, manual in (("Documentation", False), ("Manual", True)):
        entries = [f"<li>{_entry(other, page)}</li>" for other in found if (pages.MAN in other.path.parents) == manual]
        lists.append(f"<h2>{name}</h2>\n<ul>\n" + "\n".join(entries) + "\n</ul>")
    return "\n".join(lists)


def _entry(other: Page, page: Page) -> str:
    title = html.escape(re.sub("[`*]", "", other.title))
    if other is page:
        return f'<a aria-current="page">{title}</a>'
    return f'<a href="{_relative(address(other.path), address(page.path))}">{title}</a>'
