"""In which order the reference tells of what, and since when there is what came after the first release."""

from __future__ import annotations

#: Every name of glupy.__all__ is in one of them, but for the replies, which are listed by fop.
SECTIONS = {
    "Translators": ("Translator", "Option", "fops_named", "errno_named", "terms_named", "rules_named", "offload", "xattr",
                    "breakpoint", "Event", "Client", "Shared", "Instance"),
    "Files, content, records": ("Files", "Content", "ContentFile", "Store", "Writer"),
    "A request": ("Frame", "Identity", "Call", "Child", "Wind", "Reply", "Answer", "fail", "Failure"),
    "Awaiting": ("gather", "Gather", "sleep", "timeout", "Timeout", "wait_for", "to_thread", "asyncio", "asyncio_loop",
                 "asyncio_request", "AsyncioRequest", "wait", "Future", "Task"),
    "One at a time": ("Mutex", "Semaphore", "Flag", "Condition", "Queue"),
    "Values": ("Loc", "InodeLoc", "EntryLoc", "TargetLoc", "Inode", "InodeTable", "Fd", "Gfid", "Iatt", "IaType", "Xdata",
               "Buffer", "Dirent", "Dirents", "Statvfs", "Flock", "LkOwner", "Lease", "LockEntry", "LockList", "Mdata", "Cache", "nameless", "anew"),
    "Sets of fops": ("CHANGING", "CHANGING_DATA", "CHANGING_METADATA", "CHANGING_NAMES", "READING", "OPENING", "LOCKING",
                     "SYNCING", "OTHER"),
    "On whose behalf": ("INTERNAL",),
    "Errors at load": ("LoadError", "OptionError", "TrustError"),
    "Versions": ("GLUSTER_SERIES", "GLUSTER_VERSION"),
}

FIRST = "0.1.0"

#: The version that a name came with, of those that the first release did not have: "NAME" or "CLASS.MEMBER".
SINCE: dict[str, str] = {}
