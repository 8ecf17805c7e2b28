"""What the tests share: graphs in this process, mounts, GlusterFS's log."""
