"""The options that every translator has without declaring them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from glupy.options.option import Option, declared, read
from glupy.options.tolerance import Tolerance


class _Declarations:
    module = Option(str, default=None, help="the Python module of this translator")
    module_name = Option(str, default=None, help="what the first glupy called option module")
    log_level = Option(str, default=None, choices=("NONE", "CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG", "TRACE"),
                       help="log level of this translator alone")
    on_error = Option(str, default="EIO", choices=("EIO", "pass"),
                      help="after a failure in Python: answer EIO, or pass the operation on if nothing was wound yet")
    enabled = Option(bool, default=True, help="off: every operation passes by")
    budget = Option(float, default=1.0, min=0.0,
                    help="seconds a step of Python may run without an await before it is logged; 0: any")
    patience = Option(float, default=30.0, min=0.0,
                      help="seconds an operation may wait for something before that is logged; 0: any")
    reload = Option(str, default=None, help="any text: each time that it is given another one, the translator's file is "
                    "loaded anew in the running process")
    profile = Option(float, default=0.0, min=0.0, max=3600.0,
                     help="seconds: each time that it is given another number, the log says in the end where Python's time went")
    interpreters = Option(int, default=1, min=1, max=32,
                          help="Python interpreters that serve this translator, each on a core of its own (Python 3.12)")


#: By the name that a volfile gives them.
OPTIONS: Mapping[str, Option[Any]] = declared(_Declarations)


@dataclass(frozen=True)
class Common:
    """The values of the options that every translator has."""

    module: str | None = None
    module_name: str | None = None
    log_level: str | None = None
    on_error: str = "EIO"
    enabled: bool = True
    budget: float = 1.0
    patience: float = 30.0
    reload: str | None = None
    profile: float = 0.0
    interpreters: int = 1


def split(texts: Mapping[str, str], own: Collection[str] = (),
          tolerance: Tolerance | None = None) -> tuple[Common, dict[str, str]]:
    """Take the common options out of a volfile's: their values, and the texts of all others. Raises OptionError, or has
    the tolerance note what is wrong.

    `own` has the names that the translator itself declares. What GlusterFS copies from protocol/server to the translator
    below it, every option with "auth" in its name, is nobody's."""
    common = {key: text for key, text in texts.items() if key.replace("_", "-") in OPTIONS}
    copied = {key for key in texts if "auth" in key and key.replace("_", "-") not in own}
    rest = {key: text for key, text in texts.items() if key not in common and key not in copied}
    return Common(**read(OPTIONS, common, "glupy", tolerance)), rest
