"""Every posterior method against exact posteriors of a Gaussian mixture."""
