"""Restoring a user's own images with a trained model."""
