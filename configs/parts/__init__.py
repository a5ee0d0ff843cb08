"""What configurations share: variants, data, networks, processes with their samplers, and measures."""
