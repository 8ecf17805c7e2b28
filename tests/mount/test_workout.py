"""Every operation a mount can reach gives the same results with a Python layer that intercepts every fop as without."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
import workout
from support.mounts import Mount
from support.volfiles import Layer, layer

#: What GlusterFS logs at WARNING and above for operations that fail on purpose, here in all graphs alike.
FAILURES = (r"\[fuse-bridge\.c:", r" 0-brick: ", r" 0-locks: ", r"new_posix_lock")

#: In each of its ways a layer sees every fop, and where it can, every callback.
WAYS: dict[str, Layer] = {
    **{how: layer("python", "user/pass_all", how=how) for how in ("awaited", "looked_into", "tail", "nothing")},
    **{f"classic_{how}": layer(how, "features/glupy", module_name="classic_pass_all") for how in ("both", "rebuilt")},
}


@pytest.mark.long
@pytest.mark.parametrize("cases", ["tree-* xattrs-* identity-*", "data-* attributes-*", "directories-* locks-* storms-*"])
def test_same_results(cases: str) -> None:
    """One mount without a layer, and one for each way, at the same time."""
    with ExitStack() as mounts:
        plain = mounts.enter_context(Mount(expected=FAILURES))
        ways = {way: mounts.enter_context(Mount([python], expected=FAILURES)) for way, python in WAYS.items()}
        differences = workout.run(plain.path, *(mount.path for mount in ways.values()), only=cases.split())
        assert not differences, "\n".join(str(difference) for difference in differences) + str(
            {way: str(mount.path) for way, mount in ways.items()})
