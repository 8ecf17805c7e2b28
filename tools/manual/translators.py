"""The pages of translators: what the module's docstring says, and its options as they are declared."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path

from glupy import Option, Translator
from glupy.options import common, option

from listing import definitions, escaped, link, sentence, summary

Shipped = Mapping[str, type[Translator]]

_BINARY = ("bytes", "KB", "MB", "GB", "TB", "PB")


def shipped(folder: Path) -> Shipped:
    """The translators in a folder, by name."""
    files = {file.stem: file for file in folder.glob("*.py")}
    files |= {file.parent.name: file for file in folder.glob("*/__init__.py")}
    return {name: _translator(name, files[name]) for name in sorted(files)}


def overview(found: Shipped) -> str:
    """The translators, each with one line and a link to its page."""
    return definitions((link(f"glupy-{name}", 7), sentence(summary(_text(cls)))) for name, cls in found.items())


def common_options() -> str:
    """The options that every translator has."""
    return _options(common.OPTIONS)


def page(name: str, cls: type[Translator]) -> str:
    """One translator's page."""
    text = _text(cls)
    options = _options(option.declared(cls)) or "It has none of its own.\n"
    return f"""# glupy-{name}(7)

## Name

glupy-{name} - {summary(text)}

## Synopsis

```
{_volume(name, cls)}
```

## Description

{text}

## Options

{options}
Options that every translator has are told in {link("glupy-translators", 7)}.

## See also

{link("glupy-translators", 7)}, {link("glupy.conf", 5)}
"""


def _translator(name: str, file: Path) -> type[Translator]:
    """The class of a translator's file, or of a package's."""
    spec = importlib.util.spec_from_file_location(f"shipped_{name}", file)
    assert spec and spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    own = [value for value in vars(module).values()
           if inspect.isclass(value) and issubclass(value, Translator) and value.__module__ == spec.name]
    (cls,) = own if "__glupy__" not in vars(module) else [module.__glupy__]
    return cls


def _text(cls: type[Translator]) -> str:
    """The docstring of a translator's module."""
    text = inspect.getdoc(sys.modules[cls.__module__])
    assert text, f"{cls.__module__}: no docstring"
    return text


def _volume(name: str, cls: type[Translator]) -> str:
    """The least that a volfile has of a translator."""
    needed = [f"    option {found.name} ...\n" for found in option.declared(cls).values() if found.required]
    return f"volume NAME\n    type user/{name}\n{''.join(needed)}    subvolumes CHILD\nend-volume"


def _options(declared: Mapping[str, Option]) -> str:
    return definitions((f"**{escaped(found.name)}** *{_kind(found)}*", _told(found)) for found in declared.values())


def _told(found: Option) -> str:
    """What there is to say of an option: its help, and what it may be."""
    facts = []
    if found.required:
        facts.append("has to be given")
    elif found.default is not None:
        facts.append(f"default `{_value(found, found.default)}`")
    if found.min is not None:
        facts.append(f"at least `{_value(found, found.min)}`")
    if found.max is not None:
        facts.append(f"at most `{_value(found, found.max)}`")
    if found.choices:
        facts.append("one of " + ", ".join(f"`{_value(found, choice)}`" for choice in found.choices))
    return sentence(escaped(found.help)) + (f" {sentence(', '.join(facts))}" if facts else "")


def _kind(found: Option) -> str:
    return {"Path": "path", "bool": "on|off", "str": "text"}.get(_type(found), _type(found))


def _type(found: Option) -> str:
    return found.type if isinstance(found.type, str) else found.type.__name__


def _value(found: Option, value: object) -> str:
    """A value as a volfile has it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if _type(found) == "size" and isinstance(value, int):
        return _size(value)
    if _type(found) == "time" and isinstance(value, int):
        return _time(value)
    return f"{value:g}%" if _type(found) == "percent" else f"{value:g}" if isinstance(value, float) else str(value)


def _size(value: int) -> str:
    unit = 0
    while value and value % 1024 == 0 and unit + 1 < len(_BINARY):
        value, unit = value // 1024, unit + 1
    return f"{value}{_BINARY[unit] if unit else ''}"


def _time(value: int) -> str:
    for seconds, unit in ((604800, "w"), (86400, "d"), (3600, "h"), (60, "min")):
        if value and value % seconds == 0:
            return f"{value // seconds}{unit}"
    return f"{value}s"
