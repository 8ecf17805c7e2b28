"""Events that GlusterFS sends through a graph."""

from __future__ import annotations

from enum import IntEnum

from glupy._core import GLUSTER_SERIES


class Event(IntEnum):
    """What notify() hears of: enum glusterfs_event_t of glusterfs-fops.h, GF_EVENT_CHILD_UP as Event.CHILD_UP.

    PARENT_UP and PARENT_DOWN, CLEANUP and SIGHUP come from above and go down the graph; CHILD_UP, CHILD_DOWN,
    CHILD_CONNECTING, AUTH_FAILED, UPCALL and all others come from below and go up.
    """

    PARENT_UP = 1
    POLLIN = 2
    POLLOUT = 3
    POLLERR = 4
    CHILD_UP = 5
    CHILD_DOWN = 6
    CHILD_CONNECTING = 7
    CLEANUP = 9
    TRANSPORT_CONNECTED = 10
    VOLFILE_MODIFIED = 11
    GRAPH_NEW = 12
    TRANSLATOR_INFO = 13
    TRANSLATOR_OP = 14
    AUTH_FAILED = 15
    VOLUME_DEFRAG = 16
    PARENT_DOWN = 17
    VOLUME_BARRIER_OP = 18
    UPCALL = 19
    SCRUB_STATUS = 20
    SOME_DESCENDENT_DOWN = 21
    SCRUB_ONDEMAND = 22
    SOME_DESCENDENT_UP = 23
    CHILD_PING = 24
    if GLUSTER_SERIES >= 11:
        SIGHUP = 25
