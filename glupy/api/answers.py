"""What a fop method answers with, in one word for annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar, Union

from glupy._core import Failure, Reply

R = TypeVar("R", bound=Reply)

if TYPE_CHECKING:
    from glupy._core import Wind

    #: `async def lookup(...) -> Answer[LookupReply]`: the reply, a wind that was not awaited, or glupy.fail(errno).
    Answer: TypeAlias = R | Wind[R] | Failure
else:
    Answer = Union[R, Failure]  # Wind takes no parameter at run time, where nobody asks
