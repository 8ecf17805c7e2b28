"""The command `glupy`: one module for each of its commands, and what they share.

Nothing else imports it: click and rich, which it is made with, are no business of GlusterFS's processes.

main.py       the group of commands; how errors are said
NAME.py       the command NAME, as `command`
others        what several of them need: machine.py (this machine's GlusterFS), sources.py (a file that was named),
              reading.py (a translator without a mount), placing.py and installing.py (the administrator's folder),
              output.py; and for `run` mounting.py with session.py, graphs.py, servers.py, logs.py, showing.py
warnings/     what `glupy check` knows by experience
feeds/        what `glupy watch` reads, merges and serves
volumes/      what the commands about glusterd's volumes need
health/       what `glupy doctor` looks at
skeletons/    what `glupy new` begins with
layers/       translators of the commands' own

May use: glupy, glupy._core, glupy.api, glupy.errors, glupy.loading, glupy.logs, glupy.options, glupy.records,
glupy.volfiles.
"""
