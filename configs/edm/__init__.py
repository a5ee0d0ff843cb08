"""EDM: Karras et al. 2022, "Elucidating the design space of diffusion-based generative models"."""
