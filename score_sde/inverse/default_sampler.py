"""What methods draw with unless they are told otherwise: about 200 evaluations, for every Gaussian SDE."""

from __future__ import annotations

from score_sde.samplers.driver import Sampler
from score_sde.samplers.final import Denoise
from score_sde.samplers.grids import LogSNR
from score_sde.samplers.predictors.ancestral import Ancestral
from score_sde.samplers.predictors.churned_heun import ChurnedHeun

# For methods that change a step. Its law is 5 % too narrow for a normal law; twice the steps halve that.
SAMPLER = Sampler(predictor=Ancestral(), grid=LogSNR(), n_steps=200, final=Denoise())

# For methods that change the score: of second order, 1 % too wide. The little noise that it adds on the way
# mends what the approximate score did to earlier states; of the ODE alone these errors stay.
GUIDED_SAMPLER = Sampler(
    predictor=ChurnedHeun(N=100, churn=10.0), grid=LogSNR(), n_steps=100, final=Denoise()
)
