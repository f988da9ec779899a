"""Threads, their barrier, and how many to use. Nothing here depends on networks."""
