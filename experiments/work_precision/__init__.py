"""Work against precision: quality of samples against evaluations of the model."""
