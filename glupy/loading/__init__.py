"""From a volume of a volfile to its translator: finding the file, trusting it, importing it, checking the class.

May use: glupy._core, glupy.api, glupy.errors, glupy.logs, glupy.options.
"""
