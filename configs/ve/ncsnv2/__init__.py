"""NCSNv2 (Song and Ermon 2020) under the names of the score SDE code."""
