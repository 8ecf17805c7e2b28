"""Names that a translator cannot have, because they are glupy's own or another's that was misspelt."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_loading import GOOD, HEAD, Instance, folder, refusal, write  # noqa: F401

from glupy import Translator, _runtime
from glupy.api.translator import OWN

DEFINITIONS = {
    "method": "def {name}(self): pass",
    "coroutine": "async def {name}(self): pass",
    "attribute": "{name} = None",
    "annotated": "{name}: int = 5",
    "announced": "{name}: int",
    "property": "{name} = property(lambda self: 5)",
    "option": "{name} = Option(str, default='')",
    "class": "class {name}: pass",
}


@pytest.mark.parametrize("how", DEFINITIONS)
def test_item_17_glupys_own(refusal, folder, how):
    assert {"name", "child", "children", "log", "options", "shared", "common", "itable", "itable_ready", "spawn", "every",
            "interpreter", "volume", "brick_path", "side", "files", "store", "notify_up", "notify_down", "_instance",
            "_glupy_values", "_glupy_alone", "_glupy_ignored", "_glupy_lasting", "_glupy_serves", "_glupy_side", "_glupy_spawn",
            "_glupy_version", "_glupy_writers"} == OWN
    for name in OWN:
        text = refusal(HEAD + f"class A(Translator):\n    {DEFINITIONS[how].format(name=name)}\n")
        assert re.fullmatch(rf"{folder}/mod\.py:[23]: (A\.{name}|option {name}: it) hides self\.{name}, which is glupy's own in "
                            "every translator; choose another name", text)


@pytest.mark.parametrize("how", DEFINITIONS)
def test_item_17_in_a_base(refusal, how):
    text = HEAD + f"class Mixin:\n    {DEFINITIONS[how].format(name='log')}\nclass A(Mixin, Translator): pass\n"
    assert "hides self.log, which is glupy's own" in refusal(text)


#: What has no setter Python itself refuses.
PROPERTIES = {"itable", "volume", "brick_path", "side"}


@pytest.mark.parametrize("name", sorted(OWN - PROPERTIES))
@pytest.mark.parametrize("keyword", ["def", "async def"])
def test_item_17_set_by_init(refusal, folder, name, keyword):
    text = refusal(HEAD + f"class A(Translator):\n    {keyword} init(self):\n        self.{name} = 5\n")
    assert text == f"{folder}/mod.py:3: A.init has set self.{name}, which is glupy's own in every translator; choose another name"


def test_item_17_what_is_for_the_author(write):
    """Hooks, settings and what only looks similar."""
    write(HEAD + """
from typing import ClassVar

class A(Translator, fops=("lookup",)):
    inode_ctx = dict
    fd_ctx: ClassVar = None
    fops: ClassVar = ("stat",)
    names = logs = 5
    def any_fop(self, frame, call): pass
    def notify(self, event, data): pass
    def init(self): self.children_seen, self.fops = self.children, ["open"]
""")
    assert _runtime.load(Instance(module="mod"))[1].keys() == {"any_fop", "open"}


@pytest.mark.parametrize("helper", [
    "def write(self, line): pass", "def write(self, *lines): pass", "async def write(self, frame, text): pass",
    "def read(self, file, size=4096): pass", "def finish(self): pass", "def opened(self, fd): pass", "def close(self): pass",
    "def linked(self, loc): pass", "def renamed(self, old, new): pass", "def notify_all(self, event, data): pass",
    "def lookups(self): pass", "def _lokup(self, frame, loc, xdata): pass", "write = print", "def status(self, **more): pass",
])
def test_item_17_helpers(write, helper):
    write(GOOD + f"    {helper}\n")
    _runtime.load(Instance(module="mod"))


@pytest.mark.parametrize("method, near", [
    ("def write(self, frame, fd, vector, offset, flags, xdata)", "writev"), ("def write(self, frame, *args)", "writev"),
    ("def write(self, a, b, c, d, e, f)", "writev"), ("def lokup(self, frame, loc)", "lookup"),
    ("def any_fops(self, frame, call)", "any_fop"), ("def int(self)", "init"), ("def inti(self)", "init"),
    ("def reconfigure(self, changed)", "reconfigured"), ("def realease(self, fd)", "release"),
    ("def client_disconect(self, client)", "client_disconnect"), ("def notifi(self, event, data)", "notify"),
])
def test_item_17_misspelt(refusal, method, near):
    text = refusal(HEAD + f"class A(Translator):\n    {method}: pass\n")
    assert f"is no file operation of GlusterFS; did you mean {near}? Rename it, or give it a leading underscore" in text


def test_item_17_the_guide_names_them():
    guide = (Path(__file__).resolve().parents[2] / "docs/writing-translators.md").read_text()
    assert all(f"`{name}`" in guide.partition("**Names.**")[2][:700] for name in OWN if not name.startswith("_"))
    assert all(hasattr(Translator, name) or name in Translator.__annotations__ or name == "_instance" for name in OWN)
