"""A transformer beside a U-Net of as many parameters, after equal minutes of training."""
