"""What methods draw with unless they are told otherwise."""

from __future__ import annotations

from score_sde.samplers.driver import Sampler
from score_sde.samplers.grids import LogSNR, ToZero
from score_sde.samplers.predictors.ancestral import Ancestral

# Steps of equal log signal-to-noise ratio are good for every Gaussian SDE; noise on the way mends what an
# approximate score did to earlier states; the last step ends at clean data.
SAMPLER = Sampler(predictor=Ancestral(), grid=ToZero(grid=LogSNR()), n_steps=200)
