"""What may follow the colon in ``--config=FILE:VARIANT``.

``tiny`` is the same run on made-up images of 8 or 16 pixels with a small network, for trying things out in
seconds. ``fid`` is the run itself, evaluated by the features and statistics that FID takes
(``configs/parts/measures.py`` says how they are had). ADM's runs that have a classifier also have
``guided``, whose samples it guides, and ``guided_fid``.
"""

from score_sde.errors import InputError


def require_variant(variant, *others):
    """InputError for a variant that is none of: nothing, tiny, fid, and the others."""
    known = ("tiny", "fid", *others)
    if variant not in ("", *known):
        raise InputError("variant", variant, f"one of {', '.join(known)}, or none")


def is_tiny(variant):
    """Whether the small run is meant."""
    return variant == "tiny"


def pick(variant, full, tiny):
    """``tiny`` for the small run, else ``full``."""
    return tiny if is_tiny(variant) else full
