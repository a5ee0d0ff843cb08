"""Laws that every Gaussian SDE of the package obeys, found by walking it; and that a wrong one does not."""

import jax.numpy as jnp
import numpy as np
import pytest
from user_sde import LogisticDiffusion
from walk import concrete_subclasses

from score_sde import sdes
from score_sde.verification import GAUSSIAN_LAWS, GENERAL_LAWS, verify_sde

pytestmark = pytest.mark.usefixtures("x64")
GAUSSIAN = concrete_subclasses(sdes.GaussianSDE)


@pytest.fixture(params=GAUSSIAN, ids=lambda cls: cls.__name__)
def sde(request):
    return request.param()


def test_the_walk_finds_the_six_of_the_library():
    names = {cls.__name__ for cls in GAUSSIAN}
    assert names >= {"VP", "SubVP", "VE", "EDM", "Cosine", "RectifiedFlow"}


@pytest.mark.parametrize("law", GAUSSIAN_LAWS, ids=lambda law: law.__name__)
def test_law(sde, law):
    finding = law(sde)
    assert finding.holds, finding


def test_base_class_bisection_agrees_with_closed_form_inverse(sde):
    log_snr = sde.log_snr(sde.T * jnp.linspace(0.03, 0.97, 9))
    bisected = sdes.GaussianSDE.time_at_log_snr(sde, log_snr)
    np.testing.assert_allclose(sde.time_at_log_snr(log_snr), bisected, rtol=1e-9)


class Louder(sdes.VP):
    """A diffusion that is 5 % too large beside its alpha and sigma."""

    def squared_diffusion(self, t):
        return 1.05**2 * super().squared_diffusion(t)


class Shifted(sdes.VP):
    """A drift that is 5 % too large."""

    def drift_rate(self, t):
        return 1.05 * super().drift_rate(t)


class Later(sdes.VP):
    """An inverse that is 5 % too late."""

    def time_at_log_snr(self, log_snr):
        return 1.05 * super().time_at_log_snr(log_snr)


class Wider(sdes.VP):
    """A prior that is 5 % too wide."""

    def prior(self, shape):
        return sdes.NormalPrior(shape=shape, scale=1.05)


class Narrow(sdes.VP):
    """A transition whose noise is 5 % too small."""

    def transition(self, t, s):
        scale, std = super().transition(t, s)
        return sdes.Transition(scale, 0.95 * std)


class Bridged(sdes.VP):
    """A bridge whose noise is 5 % too large."""

    def bridge(self, t, s):
        found = super().bridge(t, s)
        return found._replace(std=1.05 * found.std)


class Slower(sdes.VP):
    """An alpha' that is not alpha's."""

    def alpha_rate(self, t):
        return 1.05 * super().alpha_rate(t)


class Endless(sdes.VP):
    """A sigma that is not finite at T."""

    def sigma(self, t):
        return super().sigma(t) + jnp.where(jnp.asarray(t) == self.T, jnp.inf, 0.0)


@pytest.mark.parametrize(
    ("wrong", "laws"),
    [
        (Louder, {"diffusion", "moments", "paths"}),
        (Shifted, {"drift", "moments"}),
        (Later, {"signal_to_noise"}),
        (Wider, {"prior"}),
        (Narrow, {"transitions", "bridges"}),
        (Bridged, {"bridges"}),
        (Slower, {"rates"}),
        (Endless, {"ends", "prior"}),
    ],
)
def test_what_is_wrong_is_told_by_its_laws(wrong, laws):
    """Each law has an error of 5 % that it sees, and no other law is blamed."""
    failed = {finding.law for finding in verify_sde(wrong()) if not finding.holds}
    assert failed == laws


class NoPrior(LogisticDiffusion):
    """Its prior is of half the scale."""

    def prior(self, shape):
        return sdes.NormalPrior(shape=shape, scale=0.9)


def test_a_process_without_a_closed_kernel_has_laws_too():
    found = list(verify_sde(LogisticDiffusion()))
    assert [finding.law for finding in found] == [law.__name__ for law in GENERAL_LAWS]
    assert all(finding.holds for finding in found), found
    assert {finding.law for finding in verify_sde(NoPrior()) if not finding.holds} == {"stationary_end"}


def test_what_cannot_be_evaluated_does_not_hold():
    class Broken(sdes.VP):
        def alpha(self, t):
            raise TypeError("no alpha")

    found = {finding.law: finding for finding in verify_sde(Broken())}
    assert not found["drift"].holds
    assert "TypeError: no alpha" in found["drift"].told
