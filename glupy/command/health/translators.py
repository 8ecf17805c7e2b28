"""The local configuration, its folders, and the translators in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from glupy.command import list as listing
from glupy.command import machine
from glupy.command.health.look import Look, from_sentence
from glupy.command.problem import Problem
from glupy.errors import LoadError, TrustError
from glupy.loading import finding, trust, venv


def configuration() -> Iterator[Look]:
    named = os.environ.get("GLUPY_CONF")
    path = Path(named) if named else finding.CONFIGURATION
    try:
        found = finding.configuration()
    except TrustError as error:
        yield from_sentence("configuration", str(error), "")
        return
    except LoadError as error:
        yield Look("configuration", str(error), f"edit {path}")
        return
    yield Look("configuration", str(path) if path.exists() else f"{path} is not there, and need not be")
    if found.venv:
        try:
            yield Look("venv", str(venv.site_packages(found.venv)))
        except LoadError as error:
            yield Look("venv", str(error), f"/usr/bin/python3 -m venv --clear {found.venv}")


def folders() -> Iterator[Look]:
    """Each folder of translators is there, and trusted."""
    for folder in _folders():
        try:
            trust.check_folder(folder)
            yield Look("folder", str(folder))
        except TrustError as error:
            yield from_sentence("folder", str(error), "")
        except FileNotFoundError:
            if folder == finding.ADMINISTRATOR:
                yield Look("folder", f"{folder} is not there, and need not be")
            else:
                yield Look("folder", f"{folder} is not there",
                           f"mkdir {folder}, or take it out of {finding.CONFIGURATION}")
        except OSError as error:
            yield Look("folder", f"{folder}: {error.strerror}", f"take it out of {finding.CONFIGURATION}")


def translators() -> Iterator[Look]:
    """Each translator would be loaded, and has its link."""
    try:
        found = list(listing.translators())
    except LoadError:
        return  # the configuration is wrong, and that has been said
    for each in found:
        if each.problem and not each.problem.endswith(" goes first"):
            yield from_sentence("translator", each.problem, "")
        elif not each.problem:
            yield _link(each.name, each.file)


def left_over() -> Iterator[Look]:
    """What an install that was killed has left."""
    if finding.ADMINISTRATOR.is_dir():
        for path in sorted(finding.ADMINISTRATOR.glob(".*.*")):
            yield Look("folder", f"{path} was left by a `glupy install` that was killed", f"rm -r {path}")


def _folders() -> list[Path]:
    try:
        return finding.configuration().folders
    except LoadError:
        return [finding.ADMINISTRATOR, finding.shipped()]


def _link(name: str, file: str) -> Look:
    """Whether `type user/NAME` finds a translator. In folders of one's own they need `option module`, and no link."""
    try:
        link = machine.gluster().user_link(name)
    except Problem:
        return Look("translator", file)
    if Path(file).is_relative_to(finding.ADMINISTRATOR) or Path(file).is_relative_to(finding.shipped()):
        problem = machine.link_problem(link)
        if problem:
            problem = problem.replace("GlusterFS does not find glupy", f"{file} has no link")
            return from_sentence("translator", problem, "")
    return Look("translator", file)
