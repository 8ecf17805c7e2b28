"""What `glupy watch` reads: the feeds that translators/watch writes, of this machine and of others, as one.

record.py     a line of a feed; what identifies a change on whatever brick; cursors
files.py      feeds in folders of this machine
remote.py     feeds of another machine, by HTTP
merging.py    several feeds as one, in the order of time, each change once
serving.py    feeds for others, by HTTP
wording.py    a change in words

merging.py knows feeds by record.Feed alone.
"""
