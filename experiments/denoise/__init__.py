"""Cleaning noisy images and signals: a user's files, and how well it is done."""
