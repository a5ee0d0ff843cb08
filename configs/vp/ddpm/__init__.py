"""DDPM (Ho et al. 2020) as Song et al. 2021 trained it again, under the names of their code."""
