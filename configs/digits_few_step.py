"""Handwritten digits in one step: consistency models, MeanFlow and progressive distillation.

Data: scikit-learn's 1,797 real 8x8 images, 17 levels (1,300 train, 200 validation, 297 test).
Command: python -m score_sde.main --mode=train --config=configs/digits_few_step.py \
    --workdir=runs/digits_few_step
Model: rectified flow, an MLP of 4 hidden layers. Without a variant it is improved consistency training
    (Song and Dhariwal 2023), which needs no other model; :ct is the first consistency training (Song et al.
    2023) and :mean_flow is MeanFlow (Geng et al. 2025).
Distilled: what follows learns from the many-step model of :teacher, which is trained first:
    python -m score_sde.main --mode=train --config=configs/digits_few_step.py:teacher \
        --workdir=runs/digits_few_step_teacher
    :distilled is consistency distillation, which begins from the teacher's weights; :mean_flow_distilled is
    MeanFlow along the teacher's velocity. :halved_16, _8, _4, _2 and _1 are the rounds of progressive
    distillation (Salimans and Ho 2022); each but the first learns from the one before, in
    runs/digits_few_step_halved_N.
Tiny: :tiny is a run of seconds that only shows the way, and so is :tiny_ before any other variant.
Measured here, by experiments/few_step: sliced Wasserstein distance to held-out digits in one step, where the
    teacher's ODE in 64 has 0.737 and training digits themselves 0.402: :distilled 0.841, :halved_1 0.913,
    without a variant 1.028, :mean_flow_distilled 1.178, :mean_flow 1.254, :ct 2.256.
"""

from configs.parts import small
from score_sde.config import bind, call
from score_sde.data import Digits
from score_sde.denoisers import (
    AverageVelocity,
    ConsistencyPrecondition,
    EDMPrecondition,
    LogSigmaLabels,
    Preconditioned,
    TimeLabels,
    VelocityPrediction,
)
from score_sde.errors import InputError
from score_sde.experiment import Experiment
from score_sde.experiment.measures import Distances, Legible, Loss
from score_sde.experiment.trained import trained, warm_started
from score_sde.networks import MLP, Interval
from score_sde.objectives import (
    ConsistencyDistillation,
    ConsistencyTraining,
    DenoisingScoreMatching,
    DoublingIntervals,
    EDMWeighting,
    FixedIntervals,
    ImprovedConsistencyTraining,
    KarrasPairs,
    LogitNormal,
    LogNormalCells,
    LogNormalSigma,
    MeanFlow,
    ProgressiveDistillation,
    PseudoHuber,
    SquareRootIntervals,
    Stratified,
    TeacherVelocity,
    UniformTimes,
)
from score_sde.samplers import (
    DDIM,
    ConsistencyStep,
    Karras,
    MeanFlowStep,
    ProbabilityFlowHeun,
    Sampler,
    Uniform,
)
from score_sde.sdes import RectifiedFlow
from score_sde.training import Cosine, WarmupEMA, adam

SIGMA_DATA = 0.75  # of the digits in [-1, 1]
RANGE = {"sigma_min": 0.02, "sigma_max": 80.0}  # of sigma / alpha; noise of the dequantisation alone is 0.034
ROUNDS = (16, 8, 4, 2, 1)  # of progressive distillation, whose first teacher takes 32 steps
STUDENTS = ("distilled", "mean_flow_distilled", *(f"halved_{n}" for n in ROUNDS))
METHODS = ("", "ct", "mean_flow", "teacher", *STUDENTS)
FILE, RUNS = "configs/digits_few_step.py", "runs/digits_few_step"


def get_config(variant=""):
    """``configs/digits_few_step.py``, one of its methods, or ``:tiny`` (``:tiny_METHOD``) for seconds."""
    tiny = variant == "tiny" or variant.startswith("tiny_")
    method = variant.removeprefix("tiny").removeprefix("_") if tiny else variant
    if method not in METHODS:
        expected = f"one of {', '.join(METHODS[1:])}, or none; tiny_ before it for seconds"
        raise InputError(f"variant of {FILE}", variant, expected)
    steps, judged = (4, 16) if tiny else (length(method), 500)
    schedule = call(Cosine, steps=steps)
    return call(
        Experiment,
        **parts(method, steps, tiny),
        data=call(Digits),
        sde=call(RectifiedFlow),
        optimizer=call(adam, learning_rate=1e-3, b2=0.99, warmup_steps=100, clip_norm=1.0, schedule=schedule),
        training=small.plan(
            tiny=tiny,
            steps=steps,
            batch_size=16 if tiny else 128,
            steps_per_call=20,
            checkpoint_every=500,
            snapshot_every=2000,
        ),
        measures=(
            call(Loss, draws=1 if tiny else 8),
            call(Legible, n_samples=judged),
            call(Distances, n_samples=judged),
        ),
        n_samples=8 if tiny else 100,
        sampling_batch=8 if tiny else 100,
    )


def length(method):
    """Updates of a run."""
    if method.startswith("halved"):
        return 400
    return {"teacher": 4000, "distilled": 2500, "ct": 1500, "mean_flow": 1500}.get(method, 2000)


def parts(method, steps, tiny):
    """What the methods differ in: network, model, objective, average and sampler."""
    if method in ("mean_flow", "mean_flow_distilled"):
        return mean_flow(method, tiny)
    if method == "teacher" or method.startswith("halved"):
        return stepped(method, tiny)
    return consistency(method, steps, tiny)


def stepped(method, tiny):
    """The teacher, and the students that are models like it, of fewer steps."""
    precondition = call(EDMPrecondition, sigma_data=SIGMA_DATA, labels=labels())
    found = {
        "network": fresh(tiny),
        "model": bind(Preconditioned, precondition=precondition),
        "objective": call(
            DenoisingScoreMatching,
            times=call(LogNormalSigma, mean=-0.6, std=1.4, batch=call(Stratified)),
            weight=call(EDMWeighting, sigma_data=SIGMA_DATA),
        ),
        "ema": call(WarmupEMA, decay=0.998),
        "sampler": uniform(ProbabilityFlowHeun, 64),
    }
    if method == "teacher":
        return found
    left = int(method.removeprefix("halved_"))
    before = "teacher" if left == ROUNDS[0] else f"halved_{2 * left}"
    return found | {
        "network": begun(before, tiny),
        "objective": call(ProgressiveDistillation, teacher=call(trained, **run(before, tiny)), steps=left),
        "ema": call(WarmupEMA, decay=0.99),
        "sampler": uniform(DDIM, left),
    }


def consistency(method, steps, tiny):
    """Consistency models: distilled, or trained as at first (ct) or as improved."""
    precondition = call(
        ConsistencyPrecondition, sigma_data=SIGMA_DATA, sigma_min=RANGE["sigma_min"], labels=labels()
    )
    sampler = call(
        Sampler,
        predictor=call(ConsistencyStep, sigma_min=RANGE["sigma_min"]),
        grid=call(Karras, **RANGE),
        n_steps=1,
    )
    if method == "distilled":
        objective = call(
            ConsistencyDistillation,
            teacher=call(trained, **run("teacher", tiny)),
            times=call(KarrasPairs, **RANGE, intervals=call(FixedIntervals, intervals=24)),
            distance=call(PseudoHuber, scale=0.03),
        )
    elif method == "ct":
        intervals = call(SquareRootIntervals, last=100, updates=steps)
        objective = call(ConsistencyTraining, times=call(KarrasPairs, **RANGE, intervals=intervals))
    else:
        intervals = call(DoublingIntervals, first=10, last=160, updates=steps)
        cells = call(LogNormalCells, mean=-0.6, std=1.6)
        objective = call(
            ImprovedConsistencyTraining,
            times=call(KarrasPairs, **RANGE, intervals=intervals, cells=cells),
            distance=call(PseudoHuber, scale=0.03),
        )
    return {
        "network": begun("teacher", tiny) if method == "distilled" else fresh(tiny),
        "model": bind(Preconditioned, precondition=precondition),
        "objective": objective,
        "ema": call(WarmupEMA, decay={"distilled": 0.98, "ct": 0.99}.get(method, 0.995)),
        "sampler": sampler,
    }


def mean_flow(method, tiny):
    """Mean velocities, along examples' own paths or along the teacher's flow."""
    objective, dropout = {"times": call(LogitNormal, mean=-0.4, std=1.4), "apart": 0.5}, 0.1
    if method == "mean_flow_distilled":
        velocity = call(TeacherVelocity, teacher=call(trained, **run("teacher", tiny)))
        objective = {"times": call(UniformTimes, t_min=0.0), "apart": 0.9, "velocity": velocity}
        dropout = 0.0
    precondition = call(VelocityPrediction, labels=call(TimeLabels, scale=1.0))
    return {
        "network": bind(Interval, network=fresh(tiny, label_scale=30.0, dropout=dropout)),
        "model": bind(AverageVelocity, precondition=precondition),
        "objective": call(MeanFlow, **objective),
        "ema": call(WarmupEMA, decay=0.998),
        "sampler": uniform(MeanFlowStep, 1),
    }


def uniform(predictor, n_steps):
    """Equal steps in time from T to 0."""
    return call(Sampler, predictor=call(predictor), grid=call(Uniform, t_min=0.0), n_steps=n_steps)


def labels():
    """log(sigma / alpha) / 4, cut where the grid begins, so that t = T is no further than its neighbours."""
    return call(LogSigmaLabels, limit=4.4)


def fresh(tiny, label_scale=250.0, dropout=0.1):
    """The network that all share; the few digits ask for dropout, what a teacher says of noise does not."""
    width, depth = (32, 1) if tiny else (384, 4)
    return bind(MLP.for_shape, width=width, depth=depth, dropout=dropout, label_scale=label_scale)


def begun(method, tiny):
    """The same with the weights of a trained one."""
    return bind(warm_started, network=fresh(tiny, dropout=0.0), **run(method, tiny))


def run(method, tiny):
    """Where another run is; all of progressive distillation are models like the teacher's."""
    return {"config": f"{FILE}:{'tiny_' if tiny else ''}teacher", "workdir": f"{RUNS}_{method}"}
