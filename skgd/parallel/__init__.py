"""Threads, their barrier, and how many to use: they know tasks, not networks."""
