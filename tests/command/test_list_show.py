"""`glupy list` and `glupy show`."""

from __future__ import annotations

import json
from pathlib import Path

from glupy import FOPS
from support.command import glupy

SOURCE = '''"""What it is for."""
from pathlib import Path
from glupy import Option, Translator


class Sample(Translator):
    limit = Option(int, default=3, min=1, max=9, help="how many")
    where = Option(Path, help="which file")
    kind = Option(str, default="b", choices=("a", "b"))
    inode_ctx = dict

    def init(self):
        raise AssertionError("it is not to run")

    def stat(self, frame, loc, xdata):
        pass
'''


def test_list(call, write, trusted):
    good = write(SOURCE, "etc/good.py")
    bad = write("raise SystemExit", "etc/bad.py")
    bad.chmod(0o666)
    hidden = write("", "etc/audit.py")
    package = write("", "etc/pack/__init__.py")
    write("", "etc/not-a-name.py")
    found = {each["file"]: each for each in json.loads(call("list", "--json").output)}
    assert found[str(good)] == {"name": "good", "file": str(good), "problem": None}
    assert "file is writable by others, mode 0666" in found[str(bad)]["problem"]
    assert found[str(hidden)]["problem"] is None and found[str(package)]["name"] == "pack"
    shipped, = [each for each in found.values() if each["name"] == "audit" and each["file"] != str(hidden)]
    assert shipped["problem"] == f"{hidden} goes first"
    ours = Path(__file__).parents[2] / "translators"
    count = len([*ours.glob("*.py"), *ours.glob("*/__init__.py")]) + 4
    assert len(found) == count
    lines = call("list").output.splitlines()
    assert [line.split()[:3] for line in lines if "good" in line] == [["good", str(good), "trusted"]]
    assert len(lines) == count and not any(line.endswith(" ") for line in lines)


def test_list_with_wrong_configuration(call, write):
    file = write("[glupy]\ntranslators = here\n", "glupy.conf")
    assert call("list", status=1).output == (
        f"glupy list: {file}:2: translators names \"here\": expected an absolute path on one line, or several with "
        "colons between them\n")


def test_show(call, write):
    file = write(SOURCE, "etc/sample.py")
    shown = json.loads(call("show", "sample", "--json").output)
    assert (shown["name"], shown["file"], shown["documentation"]) == ("sample", str(file), "What it is for.")
    assert (shown["fops"], shown["any_fop"], shown["hooks"]) == (["stat"], [], ["init", "inode_ctx"])
    limit, where, kind = shown["options"]
    assert limit == {"name": "limit", "type": "int", "required": False, "default": 3, "min": 1, "max": 9, "choices": [],
                     "help": "how many"}
    assert where["required"] and where["type"] == "Path" and kind["choices"] == ["a", "b"]
    assert "on-error" in [each["name"] for each in shown["common_options"]]
    text = call("show", file).output
    assert "What it is for." in text and "default 3, min 1, max 9  how many" in text and "one of a, b" in text


def test_show_shipped(call):
    shown = json.loads(call("show", "audit", "--json").output)
    assert shown["fops"] == [] and sorted(shown["any_fop"]) == sorted(FOPS)


def test_show_classic(call, write):
    write("from gluster.glupy import *\nclass xlator(Translator):\n    def __init__(self, c_this):\n"
          "        Translator.__init__(self, c_this)\n", "etc/old.py")
    shown = json.loads(call("show", "old", "--json").output)
    assert shown["classic"] and shown["fops"] == []
    assert "written for the first glupy" in call("show", "old").output


def test_show_what_is_not_there(call):
    assert "Did you mean negative_lookup?" in call("show", "negative_lokup", status=1).output
    assert "is no module name" in call("show", "a-b", status=1).output


def test_no_colours_but_on_terminals():
    assert "\x1b" not in glupy("list").stdout + glupy("show", "audit").stdout
