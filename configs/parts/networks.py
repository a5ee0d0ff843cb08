"""The score networks of Song et al. 2021 and before, and their small counterparts."""

from configs.parts.variants import pick
from score_sde.config import bind, call
from score_sde.networks import DDPM, NCSNpp
from score_sde.networks.layers import FIR, InputResidual, InputSkip, OutputSkip, SigmaEmbedding
from score_sde.networks.ncsn import NCSN, NCSNv2

UNIT_INTERVAL = {"input_scale": 2.0, "input_shift": -1.0}  # the network sees 2 x - 1 of data in [0, 1]


def ddpmpp(variant, *, blocks=4, **options):
    """DDPM++ (Song et al. 2021, appendix H): DDPM with BigGAN's blocks and rescaled skips."""
    return _ncsnpp(variant, blocks=blocks, **options)


def ncsnpp(variant, *, blocks=4, **options):
    """NCSN++ up to 64 pixels: DDPM++ with FIR filters, and the image as a residual going down."""
    parts = {"resampling": call(FIR), "progressive_input": call(InputResidual)}
    return _ncsnpp(variant, blocks=blocks, **parts, **options)


def ncsnpp_high(variant, *, channels, multipliers, blocks):
    """NCSN++ from 256 pixels on: the image is told to every level going down, and summed up going up."""
    return _ncsnpp(
        variant,
        channels=channels,
        multipliers=multipliers,
        blocks=blocks,
        dropout=0.0,
        embedding=bind(SigmaEmbedding),
        resampling=call(FIR),
        progressive_input=call(InputSkip),
        progressive=call(OutputSkip),
        **UNIT_INTERVAL,
    )


def ddpm(variant, *, channels=128, multipliers=(1, 2, 2, 2), **options):
    """The network of Ho et al. 2020."""
    return bind(
        DDPM,
        channels=pick(variant, channels, 32),
        multipliers=pick(variant, multipliers, (1, 2)),
        blocks=pick(variant, 2, 1),
        attention_resolutions=pick(variant, (16,), (4,)),
        **options,
    )


def ncsn(variant, *, levels):
    """The RefineNet of Song and Ermon 2019, told the number of the noise level."""
    return _refinenet(NCSN, variant, multipliers=(1, 2, 2, 2), dilations=(1, 1, 2, 4), n_levels=levels)


def ncsnv2(variant):
    """The RefineNet of Song and Ermon 2020 up to 64 pixels (their table 3), not told the noise."""
    return _refinenet(NCSNv2, variant, multipliers=(1, 2, 2, 2), dilations=(1, 1, 2, 4))


def ncsnv2_128(variant):
    """The same for 128 pixels."""
    return _refinenet(NCSNv2, variant, multipliers=(1, 2, 2, 4, 4), dilations=(1, 1, 1, 2, 4))


def _refinenet(kind, variant, *, multipliers, dilations, **options):
    return bind(
        kind,
        channels=pick(variant, 128, 32),
        multipliers=pick(variant, multipliers, (1, 2, 2)),
        dilations=pick(variant, dilations, (1, 1, 2)),
        **UNIT_INTERVAL,
        **options,
    )


def _ncsnpp(variant, *, channels=128, multipliers=(1, 2, 2, 2), blocks, **options):
    return bind(
        NCSNpp,
        channels=pick(variant, channels, 32),
        multipliers=pick(variant, multipliers, (1, 2)),
        blocks=pick(variant, blocks, 1),
        attention_resolutions=pick(variant, (16,), (4,)),
        **options,
    )
