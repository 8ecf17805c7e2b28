"""The group of all commands: finds each in a module of its own when it is wanted, and says errors in one line."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

import glupy
from glupy.errors import LoadError

#: In the order in which they are met.
NAMES = ("new", "check", "run", "list", "show", "install", "remove", "push", "attach", "detach", "set", "enable", "disable",
         "status", "watch", "verify", "doctor", "debug")

EPILOG = """\b
Exit status:
  0  it was done, or nothing was found
  1  it could not be done, or something was found
  2  the command line is wrong
"""


class Commands(click.Group):
    """Commands that are imported when they are called: `glupy list` needs nothing that `glupy run` does."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(NAMES)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in NAMES:
            return None
        command: click.Command = importlib.import_module(f"glupy.command.{name}").command
        return command

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        finally:
            self.called = context.invoked_subcommand

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, complete_var: str | None = None,
             standalone_mode: bool = True, windows_expand_args: bool = True, **extra: Any) -> NoReturn:
        """Run what the arguments say, and exit."""
        try:
            status = super().main(args, prog_name or "glupy", complete_var, False, **extra)
            sys.stdout.flush()
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else "glupy"
            complain(path, f"{error.format_message().rstrip('.')}; `{path} --help` says what it takes")
            status = error.exit_code
        except click.ClickException as error:
            complain(f"glupy {self.called}", error.format_message())
            status = error.exit_code
        except LoadError as error:
            complain(f"glupy {self.called}", str(error))
            status = 1
        except (KeyboardInterrupt, click.Abort):
            status = 130
        except BrokenPipeError:  # whoever reads has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            status = 1
        sys.exit(status if isinstance(status, int) else 0)


def complain(who: str, text: str) -> None:
    click.echo(f"{who}: {text}", err=True)


@click.group("glupy", cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]},
             no_args_is_help=True)
@click.version_option(glupy.__version__, message=f"glupy %(version)s for GlusterFS {glupy.GLUSTER_VERSION}")
def glupy_command() -> None:
    """GlusterFS translators in Python: write them, check them, run them, install them.

    A translator is a layer of a GlusterFS volume: one class in one Python file. `glupy new` begins one, `glupy run`
    mounts a directory through it, `glupy install` puts it where GlusterFS's processes look.
    """


def main() -> NoReturn:
    """What the script `glupy` calls."""
    glupy_command.main()
