"""NCSN (Song and Ermon 2019), and NCSNv2 techniques on it, under the names of the score SDE code."""
