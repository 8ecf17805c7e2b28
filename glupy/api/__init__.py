"""What a translator is written with: the base class, and what stands beside it. Authors import it from glupy itself.

May use: glupy._core, glupy._fops, glupy.logs, glupy.options, glupy.records.
"""
