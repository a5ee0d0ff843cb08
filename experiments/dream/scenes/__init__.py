"""Scenes: each takes a stage, writes its pictures and films, and gives its numbers."""
