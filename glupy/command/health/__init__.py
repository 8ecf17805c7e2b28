"""What `glupy doctor` looks at: a generator of Looks for each concern, in a module of its own.

To look at one thing more, add a generator there and name it in `glupy/command/doctor.py`.
"""
