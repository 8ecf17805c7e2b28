"""What pages there are. Each is Markdown (CommonMark with tables), and has the path that links in other pages lead to."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from markdown_it import MarkdownIt

import commands
import translators

ROOT = Path(__file__).resolve().parents[2]

#: Where the pages of manual sections stand, those that are made here included.
MAN = Path("docs/man")

#: The package of the command, whose module `main` has the click group.
COMMAND = "glupy.command"


@dataclass(frozen=True)
class Page:
    """One page, for browsers and, in docs/man, for man."""

    path: Path  # in the checkout; NAME.SECTION.md for a manual page
    text: str

    @property
    def title(self) -> str:
        """The text of its first heading."""
        return next(line for line in self.text.splitlines() if line.startswith("# ")).removeprefix("# ").strip()

    @property
    def section(self) -> str:
        """The manual's section, of a manual page."""
        return self.path.stem.rpartition(".")[2]

    def tree(self) -> ElementTree.Element:
        """The page as elements of HTML."""
        # In running text <...> is what an author wrote, such as <gfid:...>, and no HTML.
        markdown = MarkdownIt("commonmark").enable("table").disable(["autolink", "html_inline"])
        return ElementTree.fromstring(f"<main>{markdown.render(self.text)}</main>")


def documents() -> list[Page]:
    """README.md and docs/: for browsers only."""
    files = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [Page(path, file.read_text(encoding="utf-8")) for file in files
            if MAN not in (path := file.relative_to(ROOT)).parents]


def manuals() -> list[Page]:
    """The manual: pages of docs/man, one for each translator that comes with glupy and for each command."""
    shipped = translators.shipped(ROOT / "translators")
    made = {
        "<!-- common options -->": translators.common_options(),
        "<!-- translators -->": translators.overview(shipped),
    }
    found = [Page(MAN / file.name, _filled(file.read_text(encoding="utf-8"), made))
             for file in sorted((ROOT / MAN).glob("*.md"))]
    found += [Page(MAN / f"glupy-{name}.7.md", translators.page(name, cls)) for name, cls in shipped.items()]
    if importlib.util.find_spec(COMMAND):
        found += [Page(MAN / f"{name}.1.md", text) for name, text in commands.pages(f"{COMMAND}.main")]
    return found


def _filled(text: str, made: dict[str, str]) -> str:
    """A page with what is made in place of the comments that stand for it."""
    for comment, value in made.items():
        text = text.replace(comment, value)
    return text
