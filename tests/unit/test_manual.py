"""tools/manual: manual pages and HTML say what translators and commands declare, and no link leads nowhere."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest

from glupy.options import common, option

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted([*(file.stem for file in (ROOT / "translators").glob("*.py")),
                  *(file.parent.name for file in (ROOT / "translators").glob("*/__init__.py"))])


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder with all pages, as an installation makes them."""
    folder = tmp_path_factory.mktemp("manual")
    subprocess.run([sys.executable, "-B", ROOT / "tools/manual", folder / "man", folder / "html", "--version", "1.2.3"],
                   check=True)
    return folder


@pytest.fixture
def tool(monkeypatch):
    """What gives a module of tools/manual, which import one another by their bare names."""
    monkeypatch.syspath_prepend(str(ROOT / "tools/manual"))
    names = {file.stem for file in (ROOT / "tools/manual").glob("*.py")}
    for name in names & set(sys.modules):
        monkeypatch.delitem(sys.modules, name)
    yield importlib.import_module
    for name in names & set(sys.modules):
        del sys.modules[name]


def plain(roff):
    """The text of a page, without fonts and escapes."""
    text = re.sub(r"\\f[BIR]", "", roff)
    for escape, character in (("\\-", "-"), ("\\(aq", "'"), ("\\(dq", '"'), ("\\(ti", "~"), ("\\e", "\\")):
        text = text.replace(escape, character)
    return text


@pytest.mark.parametrize("name", SHIPPED)
def test_page_of_a_translator(name, written, tool):
    cls = tool("translators").shipped(ROOT / "translators")[name]
    page = plain((written / f"man/man7/glupy-{name}.7").read_text())
    assert f".SH NAME\nglupy-{name} - " in page
    for declared in option.declared(cls).values():
        term, _, said = page.partition(f".TP\n{declared.name} ")[2].partition("\n")
        assert term, f"option {declared.name} is not there"
        assert said.lower().startswith(declared.help[:20].lower())


def test_options_of_every_translator(written):
    page = plain((written / "man/man7/glupy-translators.7").read_text())
    assert set(common.OPTIONS) <= set(re.findall(r"^\.TP\n(\S+) ", page, re.M))
    assert all(f"glupy-{name}(7)" in page for name in SHIPPED)


def test_a_page_is_made_of_each_file_of_the_manual_and_the_documentation(written):
    sections = {f"{file.stem}" for file in (ROOT / "docs/man").glob("*.md")}
    assert sections <= {file.name for file in (written / "man").rglob("*.[1-9]")}
    documents = {file.stem for file in (ROOT / "docs").glob("*.md")}
    assert documents | {"index"} <= {file.stem for file in (written / "html").glob("*.html")}


class _Page(HTMLParser):
    """What a page links to, and what in it can be linked to."""

    def __init__(self, file):
        super().__init__()
        self.links, self.names = [], set()
        self.feed(file.read_text())

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.links += [found[key] for key in ("href", "src") if key in found]
        self.names |= {found["id"]} if "id" in found else set()


def test_every_link_leads_somewhere(written):
    html = written / "html"
    pages = {file.resolve(): _Page(file) for file in html.rglob("*.html")}
    for file, page in pages.items():
        for link in page.links:
            if "://" in link:
                continue
            path, _, name = link.partition("#")
            target = (file.parent / path).resolve() if path else file
            assert target.is_file() and html.resolve() in target.parents, f"{file.name}: {link}"
            assert not name or name in pages[target].names, f"{file.name}: {link}"
    assert "fops.html#stat" in pages[(html / "fops.html").resolve()].links, "links to headings are among them"


@pytest.mark.parametrize(("text", "said"), [
    ("[there](nowhere.md)", "leads to nothing"),
    ("[there](other.md#missing)", "no such heading"),
])
def test_a_link_that_leads_nowhere_is_refused(text, said, tool, tmp_path):
    page = tool("pages").Page
    found = [page(Path("docs/one.md"), f"# One\n\n{text}\n"), page(Path("docs/other.md"), "# Other\n")]
    web = tool("web")
    with pytest.raises(web.BrokenLink, match=said):
        web.write(found, tmp_path, "1")


def test_headings_have_the_names_that_links_use(tool, tmp_path):
    page = tool("pages").Page
    links = "[a](#copy_file_range) [b](#what-is-there) [c](#twice-1) [d](#inode-fd)"
    headings = "## copy_file_range\n\n## What is there?\n\n## Twice\n\n## Twice\n\n## `inode`, fd\n"
    tool("web").write([page(Path("docs/one.md"), f"# One\n\n{links}\n\n{headings}")], tmp_path, "1")
    assert {"copy_file_range", "what-is-there", "twice", "twice-1", "inode-fd"} <= _Page(tmp_path / "one.html").names


def test_roff_takes_nothing_of_a_text_for_its_own(tool):
    text = "# name(7)\n\n## Name\n\nname - x\n\n.start 'quoted' back\\slash ~ ^ `-o a\\b`\n\n```\n.TH no\n'\n```\n"
    roff = tool("roff").render(tool("pages").Page(Path("docs/man/name.7.md"), text), "1")
    assert "\n\\&.start 'quoted' back\\eslash \\(ti \\(ha \\fB\\-o a\\eb\\fR\n" in roff
    assert "\n\\&.TH no\n\\(aq\n.EE\n" in roff


def test_pages_of_commands(tool, monkeypatch):
    @click.group(epilog="\b\nExit status:\n  0  done\n  1  not done\n", context_settings={"help_option_names": ["-h"]})
    def tool_command():
        """GlusterFS layers: more of it."""

    @tool_command.command("dig", short_help="Dig a hole.")
    @click.argument("place")
    @click.option("-d", "--deep", metavar="METRES", help="How deep: `3` will do.")
    @click.option("--secret", hidden=True)
    def dig(place, deep, secret):
        """Dig at PLACE.

        \b
          kept
            as it is
        \f
        not shown
        """

    @tool_command.command("lurk", hidden=True)
    def lurk():
        """Not to be seen."""

    monkeypatch.setitem(sys.modules, "some_command", type(sys)("some_command"))
    sys.modules["some_command"].tool_command = tool_command
    found = dict(tool("commands").pages("some_command"))
    assert list(found) == ["glupy", "glupy-dig"]
    whole, one = (plain(tool("roff").render(tool("pages").Page(Path(f"docs/man/{name}.1.md"), text), "1"))
                  for name, text in found.items())
    assert ".SH NAME\nglupy - GlusterFS layers\n" in whole
    assert ".TP\nglupy-dig(1)\nDig a hole.\n" in whole
    assert ".SH EXIT STATUS\n.RS 4\n.EX\n0  done\n1  not done\n" in whole
    assert ".TP\n-h\n" in whole
    assert ".SH NAME\nglupy-dig - dig a hole\n" in one
    assert ".SH SYNOPSIS\nglupy dig [OPTIONS] PLACE\n" in one
    assert ".EX\n  kept\n    as it is\n.EE\n" in one
    assert ".TP\n-d, --deep METRES\nHow deep: 3 will do.\n" in one
    assert "secret" not in one and "not shown" not in one
