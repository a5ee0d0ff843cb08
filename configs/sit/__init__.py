"""SiT: Ma et al. 2024, "SiT: Exploring flow and diffusion-based generative models..."."""
