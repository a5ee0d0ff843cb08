"""Finding anomalies in a table: seconds on two CPU cores for a thousand rows.

Data: a CSV with a header, or an array in a .npy or .npz file, of rows that are normal or nearly all.
Command: python -m score_sde.main --mode=anomaly --config=configs/anomaly.py --config.data=normal.csv \
    --from=new.csv --workdir=runs/anomaly
    It learns from normal.csv and keeps what it learnt; the same command with another --from only scores.
    Columns that say nothing (identifiers, labels) are left out with --config.ignore='("id", "label")', and
    another score is, for example, --config.detector.anomaly_score=score_sde.anomaly:NearestTime.
Model: the diffusion of the training rows themselves, columns standardised: how unlikely a row is under noise
    of no shape and of the shape of the data. Nothing is trained; scores that ask a network train a multilayer
    perceptron (VP SDE, EDM's preconditioning), such as score_sde.anomaly:NegativeLogLikelihood.
How this and other scores do beside classical detectors: experiments/anomaly/README.md.
"""

from configs.parts import small
from score_sde.anomaly import DiffusionOutlierDetector, NoiseShapes
from score_sde.config import call
from score_sde.experiment.detecting import Detection


def get_config(variant=""):
    """``configs/anomaly.py``, or ``:tiny`` for a run of seconds that only shows the way."""
    sizes = {"width": 8, "depth": 1, "steps": 10} if small.is_tiny("configs/anomaly.py", variant) else {}
    return call(
        Detection,
        detector=call(DiffusionOutlierDetector, anomaly_score=call(NoiseShapes), random_state=0, **sizes),
    )
