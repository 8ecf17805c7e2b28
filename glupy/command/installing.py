"""A translator put into the administrator's folder, once its copy there was checked: for `glupy install` and `glupy push`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from glupy.command import check, machine, placing
from glupy.command.findings import ERROR, Finding
from glupy.command.machine import Gluster
from glupy.command.sources import Source
from glupy.command.problem import Problem


@dataclass(frozen=True)
class Copy:
    """A copy beside the administrator's translators, and what `glupy check` finds about it, by the name of the original."""

    gluster: Gluster
    source: Source
    found: list[Finding]

    @property
    def errors(self) -> list[Finding]:
        """What would keep it from being loaded."""
        return [each for each in self.found if each.level == ERROR]


@contextmanager
def copied(source: Source) -> Iterator[Copy]:
    """A copy of a translator that belongs to root, checked; it is there as long as the `with` lasts. Raises Problem where
    this machine could not run it."""
    gluster = machine.gluster()
    problem = machine.version_problem(gluster) or machine.link_problem(gluster.link)
    if problem:
        raise Problem(problem)
    placing.check_link(gluster, source.name)
    with placing.staging(source.name) as stage:
        staged = placing.copied(source, stage)
        yield Copy(gluster, staged, [_renamed(each, staged, source) for each in check.errors(staged)])


def put(copy: Copy) -> Path:
    """Put it in place with its link, in one step; where it is then."""
    with placing.staging(copy.source.name) as away:
        target = placing.place(copy.source, away)
        placing.make_link(copy.gluster, copy.source.name)
    return target


def _renamed(found: Finding, staged: Source, source: Source) -> Finding:
    old, new = str(staged.folder), str(source.folder)
    return replace(found, file=found.file.replace(old, new), text=found.text.replace(old, new))
