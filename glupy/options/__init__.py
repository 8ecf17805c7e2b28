"""Options: how a class declares them, how a volfile's text is read, and those that every translator has.

May use: glupy.errors.
"""
