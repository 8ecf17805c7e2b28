"""Warnings by what a class defines and leaves out."""

from __future__ import annotations

from collections.abc import Iterator

from glupy.api.content import Content
from glupy.api.fopsets import CHANGING_NAMES
from glupy.command.warnings.subject import FUNCTIONS, Place, Subject

#: By what data goes past a method for readv or writev.
DATA = ("copy_file_range", "put", "rchecksum", "zerofill", "fallocate", "discard", "truncate", "ftruncate", "seek")

#: By what names come about.
NAMES = ("create", "mkdir", "mknod", "link", "symlink", "rename")


def data_paths(subject: Subject) -> Iterator[tuple[Place, str]]:
    defined = [name for name in ("readv", "writev") if name in subject.written]
    missing = [name for name in DATA if name not in subject.handled]
    if defined and missing and not issubclass(subject.cls, Content):
        yield subject.place, (f"{subject.cls.__name__} defines {' and '.join(defined)}, but data also goes by "
                              f"{', '.join(missing)}: handle them, refuse them with OSError(EOPNOTSUPP), or base "
                              "it on glupy.Content")


def names(subject: Subject) -> Iterator[tuple[Place, str]]:
    defined = [name for name in NAMES if name in subject.written]
    missing = [name for name in NAMES if name not in subject.handled]
    if defined and missing:
        yield subject.place, (f"{subject.cls.__name__} defines {', '.join(defined)}, but names also come about by "
                              f"{', '.join(missing)}: handle them, too")


def defined_twice(subject: Subject) -> Iterator[tuple[Place, str]]:
    for module, node in subject.class_nodes():
        seen: dict[str, int] = {}
        for statement in node.body:
            if isinstance(statement, FUNCTIONS) and not statement.decorator_list:
                if statement.name in seen:
                    yield module.at(statement), (f"{node.name}.{statement.name} is defined in line "
                                                 f"{seen[statement.name]} "
                                                 "already, and replaces that; remove or rename one of them")
                seen[statement.name] = statement.lineno


assert set(NAMES) <= CHANGING_NAMES
