"""ADM: Dhariwal and Nichol 2021, "Diffusion models beat GANs on image synthesis"."""
