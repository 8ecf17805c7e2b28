"""What keeps a command from doing what it is for."""

from __future__ import annotations

import click


class Problem(click.ClickException):
    """One sentence about what was found, and what would do. The command ends with 1."""

    exit_code = 1
