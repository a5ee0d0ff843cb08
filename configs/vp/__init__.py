"""The VP SDE of Song et al. 2021, under the names of its code."""
