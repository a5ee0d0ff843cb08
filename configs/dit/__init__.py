"""DiT: Peebles and Xie 2023, "Scalable diffusion models with transformers"."""
