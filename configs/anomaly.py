"""Finding anomalies in a table: a minute on two CPU cores for a thousand rows.

Data: a CSV with a header, or an array in a .npy or .npz file, of rows that are normal or nearly all.
Command: python -m score_sde.main --mode=anomaly --config=configs/anomaly.py --config.data=normal.csv \
    --from=new.csv --workdir=runs/anomaly
    It learns from normal.csv and keeps what it learnt; the same command with another --from only scores.
    Columns that say nothing (identifiers, labels) are left out with --config.ignore='("id", "label")', and
    another score is, for example, --config.detector.anomaly_score=score_sde.anomaly:NearestTime.
Model: a multilayer perceptron on standardised columns (VP SDE, EDM's preconditioning), and how unusual the
    norms of its score are at several noise levels together (Mahmood et al. 2021).
How this and other scores do beside classical detectors: experiments/anomaly/README.md.
"""

from score_sde.anomaly import DiffusionOutlierDetector, MultiscaleScoreNorms
from score_sde.config import call
from score_sde.errors import InputError
from score_sde.experiment.detecting import Detection


def get_config(variant=""):
    """``configs/anomaly.py``, or ``:tiny`` for a run of seconds that only shows the way."""
    if variant not in ("", "tiny"):
        raise InputError("variant of configs/anomaly.py", variant, "tiny, or none")
    sizes = {"width": 8, "depth": 1, "steps": 10} if variant == "tiny" else {}
    return call(
        Detection,
        detector=call(
            DiffusionOutlierDetector, anomaly_score=call(MultiscaleScoreNorms), random_state=0, **sizes
        ),
    )
