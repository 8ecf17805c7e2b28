"""Records in files: appending whole ones, another file when one is full or has gone, and chains of them that show what was
done to a file afterwards.

May use: glupy.errors.
"""
