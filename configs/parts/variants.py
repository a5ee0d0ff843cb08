"""What may follow the colon in ``--config=FILE:VARIANT``.

``tiny`` is the same run on made-up images of 8 to 16 pixels with a small network, for trying things out in
seconds; ``fid`` is the run itself, evaluated with the features and statistics that FID takes.
"""

from score_sde.errors import InputError

VARIANTS = ("", "tiny", "fid")


def is_tiny(variant):
    """Whether the small run is meant; InputError for a variant that there is not."""
    if variant not in VARIANTS:
        raise InputError("variant", variant, "tiny, fid, or none")
    return variant == "tiny"


def pick(variant, full, tiny):
    """``tiny`` for the small run, else ``full``."""
    return tiny if is_tiny(variant) else full
