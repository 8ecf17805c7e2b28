"""Write the manual pages and the documentation as HTML: ``python3 tools/manual MAN-DIRECTORY HTML-DIRECTORY``.

Needs the built package `glupy` on Python's path: the pages of translators and commands are made from these themselves.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pages
import roff
import web


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/manual", description=__doc__)
    parser.add_argument("man", type=Path, help="where man1, man5 and man7 go")
    parser.add_argument("html", type=Path, help="where the pages for browsers go")
    parser.add_argument("--version", required=True, help="glupy's, for the foot of each page")
    arguments = parser.parse_args()

    manuals = pages.manuals()
    for page in manuals:
        folder = arguments.man / f"man{page.section}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / page.path.stem).write_text(roff.render(page, arguments.version), encoding="utf-8")
    web.write([*pages.documents(), *manuals], arguments.html, arguments.version)


if __name__ == "__main__":
    main()
