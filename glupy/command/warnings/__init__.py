"""What experience says of translators that load: each a named warning, with a line of explanation.

A check is a generator of (line, text) for a Subject, in a module of its own concern. It stands in CHECKS under its
name.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping

from glupy.command.findings import WARNING, Finding
from glupy.command.reading import Reading
from glupy.command.warnings import classes, concurrency, winding
from glupy.command.warnings.subject import Place, Subject

Check = Callable[[Subject], Iterator[tuple[Place, str]]]

CHECKS: Mapping[str, Check] = {
    "data-paths": classes.data_paths,
    "names": classes.names,
    "defined-twice": classes.defined_twice,
    "gfid-req": winding.gfid_req,
    "dropped": winding.dropped,
    "future": concurrency.future,
    "lock": concurrency.lock,
    "blocks": concurrency.blocks,
    "asyncio": concurrency.asyncio,
}

#: By name, as the documentation has them.
EXPLANATIONS: Mapping[str, str] = {
    "data-paths": "Data is read and written by more fops than readv and writev: what changes data has to handle, or "
                  "refuse, all of them; `glupy.Content` does.",
    "names": "Names come about by create, mkdir, mknod, link, symlink and rename: what watches or guards names has to "
             "handle all of them.",
    "defined-twice": "The second method of a name replaces the first, which is never called.",
    "gfid-req": "storage/posix makes nothing for a wind without a gfid: the xdata of what is made by a wind of one's "
                "own needs an entry gfid-req.",
    "dropped": "A wind or a coroutine that is neither awaited nor returned does nothing.",
    "future": "A Future that is settled on success alone keeps its application waiting for ever when what it waits for "
              "fails.",
    "lock": "A lock that is held across an await is held for as long as the layer below takes, by a thread that goes "
            "away, and blocks threads of GlusterFS's.",
    "blocks": "A method that blocks keeps a thread of GlusterFS's from its work.",
    "asyncio": "asyncio's functions need its event loop, which fops are not on: glupy.asyncio(COROUTINE) runs them there.",
    "mypy": "What mypy says of the file by glupy's type stubs.",
    "ignore": "A comment `glupy: ignore` names no warning.",
}


def findings(translator: Reading) -> list[Finding]:
    """The warnings about a translator, in the order of its lines, without those that its file silences."""
    if translator.cls is None:
        return []
    subject = Subject(translator)
    found = [Finding(str(place.file), place.line, WARNING, name, text)
             for name, check in CHECKS.items() for place, text in check(subject)
             if not subject.silenced(name, place)]
    for place, name in subject.ignored_names():
        if name not in EXPLANATIONS:
            near = difflib.get_close_matches(name, EXPLANATIONS, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(EXPLANATIONS)}"
            text = f"{name} is the name of no warning; {hint}"
            found.append(Finding(str(place.file), place.line, WARNING, "ignore", text))
    return sorted(found, key=lambda finding: (finding.file, finding.line or 0))
