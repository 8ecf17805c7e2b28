"""Read option values from text the way GlusterFS reads its own (libglusterfs, common-utils.c and options.c).

Each reader returns the value, or raises ValueError whose text says what would have been right.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

_LARGEST = 2**63 - 1
_LONGEST = 64  # characters of a whole number: more is none of 64 bits, and Python has words of its own for thousands
_INTEGER = re.compile(r"\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
_NUMBER = r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
_FLOAT = re.compile(rf"\s*{_NUMBER}")
_PERCENT = re.compile(rf"\s*{_NUMBER}%?")
_SIZE = re.compile(r"\s*\+?([0-9]+\.?[0-9]*|\.[0-9]+)([kmgtp]?b)?", re.IGNORECASE)
_TIME = re.compile(_INTEGER.pattern + r"(s|sec|m|min|h|hr|d|days|w|wk)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_TRUE = frozenset(("1", "on", "yes", "true", "enable"))
_FALSE = frozenset(("0", "off", "no", "false", "disable"))


def _strtoll(sign: str, digits: str) -> int:
    """What strtoll makes of digits with base 0: 0x leads hexadecimal, 0 octal."""
    base = 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" else 10
    return int(sign + digits, base)


def integer(text: str) -> int:
    """A whole number in decimal, octal (010) or hexadecimal (0x10), of 64 bits."""
    match = _INTEGER.fullmatch(text)
    value = _strtoll(match[1], match[2]) if match and len(text) <= _LONGEST else _LARGEST + 1
    if not -_LARGEST - 1 <= value <= _LARGEST:
        raise ValueError("expected a whole number such as 42, -1 or 0x2a")
    return value


def number(text: str) -> float:
    """A number with or without a fraction."""
    match = _FLOAT.fullmatch(text)
    if not match or math.isinf(float(match[1])):
        raise ValueError("expected a number such as 0.5 or 3")
    return float(match[1])


def boolean(text: str) -> bool:
    """One of GlusterFS's words for yes and no, in any case."""
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("expected one of on, yes, true, enable, 1 or off, no, false, disable, 0")
    return word in _TRUE


def size(text: str) -> int:
    """A number of bytes: 4096, 64KB, 1.5GB; units are powers of 1024."""
    match = _SIZE.fullmatch(text)
    value = _LARGEST + 1
    if match and len(text) <= _LONGEST:
        unit = 1024 ** " kmgtp".index((match[2] or " ").lower().replace("b", " ")[0])
        value = int(float(match[1]) * unit) if "." in match[1] else int(match[1]) * unit
    if value > _LARGEST:
        raise ValueError("expected a size such as 4096, 64KB, 1.5MB, 2GB, 1TB")
    return value


def time(text: str) -> int:
    """A duration in seconds: 90, 90s, 90sec, 5m, 5min, 2h, 2hr, 1d, 1days, 1w, 1wk."""
    match = _TIME.fullmatch(text)
    value = _LARGEST + 1
    if match and match[1] != "-" and len(text) <= _LONGEST:
        value = _strtoll("", match[2]) * _SECONDS[(match[3] or "s")[0]]
    if value > _LARGEST:
        raise ValueError("expected a duration such as 90, 90s, 5min, 2h, 1d, 1w")
    return value


def percent(text: str) -> float:
    """A percentage from 0 to 100, with or without the sign."""
    match = _PERCENT.fullmatch(text)
    if not match or not 0 <= float(match[1]) <= 100:
        raise ValueError("expected a percentage from 0 to 100, such as 25 or 12.5%")
    return float(match[1])


def path(text: str) -> Path:
    """An absolute path without "../" in it."""
    if not text.startswith("/") or "../" in text:
        raise ValueError("expected an absolute path without ../")
    return Path(text)
