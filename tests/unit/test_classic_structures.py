"""The classic API's structures are those of the headers that are installed: a C program says where each field is."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gluster.glupy import _operations, _structs, structures
from gluster.glupy._calls import OPERATIONS

import glupy
from glupy import _core

SOURCE = Path(__file__).resolve().parent.parent.parent / "src" / "build" / "structs.c"

#: As in meson.build.
FLAGS = [
    "-std=gnu11", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-DGF_LINUX_HOST_OS",
    f"-DSIZEOF_LONG={ctypes.sizeof(ctypes.c_long)}", "-DHAVE_ATOMIC_BUILTINS", "-DHAVE_STRNLEN", "-DHAVE_LLISTXATTR",
    "-DHAVE_STRUCT_STAT_ST_ATIM_TV_NSEC", "-DHAVE_STATIC_ASSERT", "-DHAVE_PTHREAD_SETNAME_NP_TWO_ARGS",
    f"-DGF_GLUSTER_SERIES={_core.GLUSTER_SERIES}",
]


def fields(cls: Any, path: str = "", base: int = 0) -> Iterator[tuple[str, int, int, int]]:
    """Each member with its path, offset, size and, of a bit field, width; those of structures within included."""
    for name, kind, *bits in cls._fields_:
        descriptor = raw(cls, name)
        anonymous = name in getattr(cls, "_anonymous_", ())
        here = path if anonymous else f"{path}.{name}" if path else name
        offset = base + descriptor.offset
        if not anonymous:
            yield here, offset, ctypes.sizeof(kind), bits[0] if bits else 0
        if isinstance(kind, type) and issubclass(kind, (ctypes.Structure, ctypes.Union)):
            yield from fields(kind, here, offset)


def raw(cls: Any, name: str) -> Any:
    """The descriptor that ctypes made, where structures.py has put a property over it."""
    return structures.DESCRIPTORS.get((cls, name)) or vars(cls)[name]


def named() -> dict[str, Any]:
    return {c_name: getattr(_structs, name) for name, c_name in _structs.C_NAMES.items()
            if not c_name.startswith(("__pthread", "struct __pthread"))}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What C says, by `TYPE` and `TYPE FIELD`."""
    lines = []
    for c_name, cls in named().items():
        lines.append(f'printf("{c_name}\\t%zu\\n", sizeof({c_name}));')
        for path, _, size, bits in fields(cls):
            if bits:
                lines.append(f"{{ {c_name} v; memset(&v, 0, sizeof(v)); v.{path} = ~0; "
                             f'printf("{c_name} {path}\\t"); for (size_t i = 0; i < sizeof(v); i++) '
                             'printf("%02x", ((unsigned char *)&v)[i]); puts(""); }')
            else:
                measure = f"sizeof((({c_name} *)0)->{path})" if size else "(size_t)0"  # what has no size ends the structure
                lines.append(f'printf("{c_name} {path}\\t%zu %zu\\n", offsetof({c_name}, {path}), {measure});')
    folder = tmp_path_factory.mktemp("structures")
    program = folder / "measure.c"
    body = "\n".join(lines)
    program.write_text(f"{SOURCE.read_text()}\n#include <stdio.h>\n#include <string.h>\n#include <stddef.h>\n"
                       f"int main(void) {{\n{body}\nreturn 0; }}\n")
    flags = subprocess.run(["pkg-config", "--cflags", "glusterfs-api", "uuid"], capture_output=True, text=True, check=True)
    include = subprocess.run(["pkg-config", "--variable=includedir", "glusterfs-api"], capture_output=True, text=True,
                             check=True).stdout.strip()
    subprocess.run(["cc", *FLAGS, "-isystem", f"{include}/glusterfs", *flags.stdout.split(), "-o", folder / "measure", program],
                   check=True)
    output = subprocess.run([folder / "measure"], capture_output=True, text=True, check=True).stdout
    return dict(line.split("\t") for line in output.splitlines())


@pytest.mark.parametrize("c_name", named())
def test_layout(c_name: str, measured: dict[str, str]) -> None:
    cls = named()[c_name]
    for path, offset, size, bits in fields(cls):
        if bits:
            value = cls()
            target: Any = value
            *steps, last = path.split(".")
            for step in steps:
                target = getattr(target, step)
            setattr(target, last, ~0)
            found = bytes(value).hex()
        else:
            found = f"{offset} {size}"
        assert found == measured[f"{c_name} {path}"], f"{c_name}: {path}"
    assert str(ctypes.sizeof(cls)) == measured[c_name], f"{c_name}: its size"


def test_nothing_is_missing() -> None:
    """Between two fields is no more room than alignment takes: no member was left out."""
    for c_name, cls in named().items():
        if not issubclass(cls, ctypes.Structure):
            continue
        end = 0
        for name, kind, *bits in cls._fields_:
            offset = raw(cls, name).offset
            gap = offset - end
            assert bits or gap < max(ctypes.alignment(kind), 1), f"{c_name}: something stands before {name}"
            end = offset + ctypes.sizeof(kind)
        assert ctypes.sizeof(cls) - end < max(ctypes.alignment(cls), 1), f"{c_name}: something stands at its end"


def test_every_fop() -> None:
    """Each fop of the table has its Op class, decorators and calls, with argtypes and restypes."""
    assert set(OPERATIONS) == set(glupy.FOPS)
    for name, operation in OPERATIONS.items():
        for call, signature in ((f"wind_{name}", operation.fop_sig), (f"unwind_{name}", operation.cbk_sig)):
            function = getattr(structures_dl(), call)
            assert function.restype is None and len(function.argtypes) == len(signature) - 1
            assert all(issubclass(given, wanted) for given, wanted in zip(function.argtypes, signature[1:]))
            assert getattr(structures_dl(), "_".join(reversed(call.split("_", 1)))) is function
        assert getattr(_operations, f"{name}_fop_t") is operation.fop_type
        assert getattr(_operations, f"{name}_cbk_t") is operation.cbk_type
        for kind in ("fop", "cbk"):
            assert callable(getattr(structures_dl(), f"set_{name}_{kind}"))


def structures_dl() -> Any:
    from gluster.glupy import dl

    return dl


def test_exports() -> None:
    names: dict[str, Any] = {}
    exec("from gluster import *", names)
    for name in ("Translator", "dl", "call_frame_t", "xlator_t", "loc_t", "inode_t", "fd_t", "iatt_t", "dict_t", "iovec_t",
                 "gf_dirent_t", "statvfs_t", "ia_prot_t", "iobref_t", "IA_IFREG", "IA_IFDIR", "OpLookup", "OpReaddirp",
                 "lookup_fop_t", "lookup_cbk_t", "POINTER", "c_long", "c_char_p", "byref", "cast", "Structure",
                 "libglusterfs", "inode_ctx_get"):
        assert name in names, name


def test_debians_own_package() -> None:
    import gluster.cliutils

    assert gluster.cliutils.__file__.startswith("/usr/lib/python3/")
