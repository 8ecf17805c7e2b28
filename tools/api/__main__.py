"""Write the reference of what authors import: ``python3 tools/api OUTPUT``, which is docs/api.md.

Needs the built package `glupy` on Python's path. Names, arguments and types come from the type stubs and the sources, texts
from docstrings: what is wrong in the page is mended there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import page


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/api", description=__doc__)
    parser.add_argument("output", type=Path)
    parser.parse_args().output.write_text(page.text(), encoding="utf-8")


if __name__ == "__main__":
    main()
