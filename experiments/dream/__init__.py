"""Pictures and films from trained models."""
