"""Restoring real images: every method beside a trivial estimate and a normal law."""
