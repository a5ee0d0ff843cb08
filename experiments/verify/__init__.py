"""The laws, held to a class of one's own."""
