"""A long run under load, for those who want to see that nothing grows and nothing is left: `./run soak MINUTES`."""
