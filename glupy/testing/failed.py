"""What a test fails with that has not failed by itself."""


class Failed(AssertionError):
    """What was left behind, or stands in the log."""
