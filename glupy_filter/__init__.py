"""The layers that a volume's own options ask for, put into the volfiles that glusterd makes.

glusterd runs bin/glupy-filter on each of them, often ten in a row while a command waits: so this is a package by itself,
which imports neither glupy nor anything that is slow.

layers.py     what the options say: keys user.glupy.NAME
graphs.py     a volfile as text, layers put in and taken out
bricks.py     which brick a volfile is of, whether its process runs, and with which layers it was started
rewriting.py  the filter itself
"""
