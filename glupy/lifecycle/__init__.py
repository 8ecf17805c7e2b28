"""What happens to a translator while its graph is up, besides fops.

May use: glupy._core, glupy.api, glupy.errors, glupy.loading, glupy.logs, glupy.options.
"""
