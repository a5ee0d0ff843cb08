"""Configurations against what the originals set, field by field.

Song et al. 2021: tests/data/score_sde_configs.json, made by executing their files. EDM: train.py's defaults
and the options in its README. ADM: the flags in guided-diffusion's README, and tables 11 to 13 of the paper.
"""

import json

import pytest
from config_files import ROOT, load

ORIGINALS = json.loads((ROOT.parent / "tests/data/score_sde_configs.json").read_text())
# What the originals say and do not mean; each is told in the run card.
MENDED = {
    "ve/ncsn/celeba": {("training", "sde"): "vesde"},  # they set training.loss
    "ve/ncsnv2/bedroom": {("training", "continuous"): False},  # they set training.continuouse
}
CONDITIONAL = ("edm/cifar10_cond", "edm/imagenet")


def original(name):
    config = ORIGINALS[name]
    for (section, field), value in MENDED.get(name, {}).items():
        config[section][field] = value
    return config


def kind(node):
    """The name of a part's class."""
    if node is None:
        return None
    return (node.get("target") or node["bind"]).rpartition(":")[2]


@pytest.mark.parametrize("name", sorted(ORIGINALS))
def test_optimizer_average_and_lengths(name):
    ours, theirs = load(name), original(name)
    optimizer, optim = ours.optimizer, theirs["optim"]
    assert kind(optimizer) == "adam"
    assert (optimizer.learning_rate, optimizer.b1, optimizer.b2) == (optim["lr"], optim["beta1"], 0.999)
    assert (optimizer.eps, optimizer.weight_decay) == (optim["eps"], optim["weight_decay"])
    assert optimizer.warmup_steps == optim["warmup"]
    assert optimizer.clip_norm == (optim["grad_clip"] if optim["grad_clip"] > 0 else None)
    rate = theirs["model"]["ema_rate"]
    assert (kind(ours.ema), ours.ema.get("decay", 0.0)) == ("ConstantEMA" if rate else "NoEMA", rate)
    assert ours.training.batch_size == theirs["training"]["batch_size"]
    assert ours.training.steps == theirs["training"]["n_iters"] - 1
    assert ours.seed == theirs["seed"]


@pytest.mark.parametrize("name", sorted(ORIGINALS))
def test_process_and_loss(name):
    ours, theirs = load(name), original(name)
    training, model = theirs["training"], theirs["model"]
    assert kind(ours.sde) == {"vpsde": "VP", "subvpsde": "SubVP", "vesde": "VE"}[training["sde"]]
    ends = ("sigma_min", "sigma_max") if training["sde"] == "vesde" else ("beta_min", "beta_max")
    assert [ours.sde[end] for end in ends] == [model[end] for end in ends]
    objective, reduction = ours.objective, "mean" if training["reduce_mean"] else "half_sum"
    discrete = {"vpsde": ("DDPMLoss", "DDPMPrecondition"), "vesde": ("SMLDLoss", "SMLDPrecondition")}
    precondition = ours.model.precondition
    if training["continuous"]:
        assert kind(objective) == "DenoisingScoreMatching"
        assert (objective.times.t_min, kind(objective.weight)) == (1e-5, "SigmaSquared")  # losses.py
        expected = "ScoreTimesStd" if training["sde"] == "vesde" else "NoisePrediction"
        assert model["scale_by_sigma"] == (training["sde"] == "vesde")
    else:
        loss, expected = discrete[training["sde"]]
        assert (kind(objective), objective.steps) == (loss, model["num_scales"])
        assert precondition.steps == model["num_scales"]
        if training["sde"] == "vesde" and not model["scale_by_sigma"]:
            expected = "SMLDScorePrecondition"
    assert kind(precondition) == expected
    default = {"DDPMLoss": "mean", "SMLDLoss": "half_sum"}.get(kind(objective))
    given = kind(objective.get("reduction"))
    assert (given.removesuffix("_per_example") if given else default) == reduction


PREDICTORS = {
    "euler_maruyama": {"OriginalEulerMaruyama"},
    "reverse_diffusion": {"OriginalReverseDiffusion"},
    "ancestral_sampling": {"OriginalAncestralVP"},
    "none": {"NoPredictor"},
}
CORRECTORS = {"none": "NoCorrector", "langevin": "OriginalLangevin", "ald": "OriginalAnnealedLangevin"}


@pytest.mark.parametrize("name", sorted(ORIGINALS))
def test_sampler(name):
    ours, theirs = load(name).sampler, original(name)
    sampling, steps = theirs["sampling"], theirs["model"]["num_scales"]
    ve = theirs["training"]["sde"] == "vesde"
    assert kind(ours.predictor) in PREDICTORS[sampling["predictor"]]
    assert kind(ours.corrector) == CORRECTORS[sampling["corrector"]]
    assert ours.n_steps == steps
    if sampling["corrector"] != "none":
        assert (ours.corrector.snr, ours.corrector_steps) == (sampling["snr"], sampling["n_steps_each"])
        assert kind(ours.corrector.alpha) == "UnitAlpha"
    if sampling["predictor"] == "reverse_diffusion":
        assert kind(ours.predictor.discretization) == ("SMLDDiscretization" if ve else "DDPMDiscretization")
        assert kind(ours.predictor.reverse) == "ReverseSDE"
    assert ours.grid.eps == (1e-5 if ve else 1e-3)  # run_lib.py
    assert sampling["noise_removal"]
    assert (kind(ours.final), kind(ours.order)) == ("KeepMean", "CorrectorFirst")


@pytest.mark.parametrize("name", sorted(ORIGINALS))
def test_data(name):
    ours, theirs = load(name), original(name)["data"]
    assert kind(ours.augmentation) == ("RandomFlip" if theirs["random_flip"] else "NoAugmentation")
    low = -1.0 if theirs["centered"] else 0.0
    assert (kind(ours.data.units), ours.data.units.low, ours.data.units.high) == ("Rescaled", low, 1.0)
    assert ours.data.size in (None, theirs["image_size"])
    named = {"CIFAR10": "cifar10", "CELEBA": "celeb_a", "LSUN": f"lsun/{theirs.get('category')}"}
    assert ours.data.name == named.get(theirs["dataset"], ours.data.name)
    network = ours.network
    shown = (network.input_scale * low + network.input_shift, network.input_scale + network.input_shift)
    assert shown == (-1.0, 1.0)  # what the first convolution sees


@pytest.mark.parametrize(
    "name", [n for n in sorted(ORIGINALS) if ORIGINALS[n]["model"]["name"] in ("ddpm", "ncsnpp")]
)
def test_unet(name):
    ours, theirs = load(name).network, original(name)["model"]
    assert kind(ours) == {"ddpm": "DDPM", "ncsnpp": "NCSNpp"}[theirs["name"]]
    assert (ours.channels, ours.multipliers) == (theirs["nf"], tuple(theirs["ch_mult"]))
    assert (ours.blocks, ours.dropout) == (theirs["num_res_blocks"], theirs["dropout"])
    assert ours.attention_resolutions == tuple(theirs["attn_resolutions"])
    if theirs["name"] == "ncsnpp":
        embeddings = {"fourier": "SigmaEmbedding", "positional": "PositionalEmbedding"}
        assert kind(ours.get("embedding")) in (embeddings[theirs["embedding_type"]], None)
        assert ("embedding" in ours) == (theirs["embedding_type"] == "fourier")
        assert kind(ours.resampling) == ("FIR" if theirs["fir"] else "Naive")
        tops = {"none": "TopOutput", "output_skip": "OutputSkip", "residual": "OutputResidual"}
        inputs = {"none": "NoInput", "input_skip": "InputSkip", "residual": "InputResidual"}
        assert kind(ours.progressive) == tops[theirs["progressive"]]
        assert kind(ours.progressive_input) == inputs[theirs["progressive_input"]]
        assert kind(ours.residual) == {"biggan": "BigGAN"}[theirs["resblock_type"]]
        assert ours.rescale == pytest.approx(2**0.5 if theirs["skip_rescale"] else 1)
    else:
        assert ("embedding" in ours and ours.embedding is None) == (not theirs["conditional"])


# batch, learning rate, dropout, augmentation, half-life and length in millions of images, Heun steps
EDM = {
    "edm/cifar10_cond_vp": (512, 1e-3, 0.13, 0.12, 0.5, 200, 18),
    "edm/cifar10_cond_ve": (512, 1e-3, 0.13, 0.12, 0.5, 200, 18),
    "edm/cifar10_uncond_vp": (512, 1e-3, 0.13, 0.12, 0.5, 200, 18),
    "edm/cifar10_uncond_ve": (512, 1e-3, 0.13, 0.12, 0.5, 200, 18),
    "edm/ffhq_64_vp": (256, 2e-4, 0.05, 0.15, 0.5, 200, 40),
    "edm/ffhq_64_ve": (256, 2e-4, 0.05, 0.15, 0.5, 200, 40),
    "edm/afhqv2_64_vp": (256, 2e-4, 0.25, 0.15, 0.5, 200, 40),
    "edm/afhqv2_64_ve": (256, 2e-4, 0.25, 0.15, 0.5, 200, 40),
    "edm/imagenet_64": (4096, 1e-4, 0.10, 0, 50, 2500, 256),
}


@pytest.mark.parametrize("name", EDM)
def test_edm(name):
    ours = load(name)
    batch, rate, dropout, augment, half_life, length, steps = EDM[name]
    assert ours.training.batch_size == batch
    assert 0 <= ours.training.steps * batch - length * 1e6 < batch
    assert (ours.optimizer.learning_rate, ours.optimizer.warmup_steps) == (rate, 10e6 / batch)
    assert (ours.optimizer.b1, ours.optimizer.b2, ours.optimizer.eps) == (0.9, 0.999, 1e-8)
    assert (ours.optimizer.clip_norm, ours.optimizer.infinite) == (None, 1e5)
    assert (ours.ema.half_life * batch, ours.ema.ramp_up) == (half_life * 1e6, 0.05)
    assert ours.network.dropout == dropout
    assert ours.augmentation.get("p", 0) == augment
    assert ours.network.get("augment_dim") == (9 if augment else None)
    objective = ours.objective
    assert (objective.times.mean, objective.times.std, objective.weight.sigma_data) == (-1.2, 1.2, 0.5)
    assert ours.model.precondition.sigma_data == 0.5
    conditional = name.startswith(CONDITIONAL)
    assert (kind(ours.condition) == "ClassLabels") == conditional == bool(ours.network.n_classes)
    sampler, grid = ours.sampler, ours.sampler.grid.grid
    assert (sampler.n_steps, sampler.predictor.N, kind(sampler.grid)) == (steps, steps, "ToZero")
    assert (grid.sigma_min, grid.sigma_max, grid.rho) == (0.002, 80.0, 7.0)
    churn = (40.0, 0.05, 50.0, 1.003) if name == "edm/imagenet_64" else (0.0, 0.0, float("inf"), 1.0)
    predictor = sampler.predictor
    assert (predictor.churn, predictor.s_min, predictor.s_max, predictor.s_noise) == churn


# channels, blocks, heads (of 64 channels, or 4), betas, dropout, classes, batch, thousands of updates, rate
ADM = {
    "adm/imagenet_64": (192, 3, "HeadsOf", "CosineBetas", 0.1, 1000, 2048, 540, 3e-4),
    "adm/imagenet_128": (256, 2, "ConstantHeads", "LinearBetas", 0.0, 1000, 256, 4360, 1e-4),
    "adm/imagenet_256": (256, 2, "HeadsOf", "LinearBetas", 0.0, 1000, 256, 1980, 1e-4),
    "adm/imagenet_512": (256, 2, "HeadsOf", "LinearBetas", 0.0, 1000, 256, 1940, 1e-4),
    "adm/imagenet_64_to_256": (192, 2, "ConstantHeads", "LinearBetas", 0.0, 1000, 256, 500, 1e-4),
    "adm/imagenet_128_to_512": (192, 2, "HeadsOf", "LinearBetas", 0.0, 1000, 256, 1050, 1e-4),
    "adm/lsun_bedroom": (256, 2, "HeadsOf", "LinearBetas", 0.1, None, 256, 500, 1e-4),
    "adm/lsun_cat": (256, 2, "HeadsOf", "LinearBetas", 0.1, None, 256, 200, 1e-4),
    "adm/lsun_horse": (256, 2, "HeadsOf", "LinearBetas", 0.1, None, 256, 250, 1e-4),
}
SCALES = {64: 1.0, 128: 0.5, 256: 1.0, 512: 4.0}  # of the classifier's gradient


@pytest.mark.parametrize("name", ADM)
def test_adm(name):
    ours, network = load(name), load(name).network
    channels, blocks, heads, betas, dropout, classes, batch, thousands, rate = ADM[name]
    assert (network.channels, network.blocks, kind(network.heads)) == (channels, blocks, heads)
    assert network.heads.get("size", 64) == 64
    assert network.heads.get("heads", 4) == 4
    assert (network.dropout, network.n_classes) == (dropout, classes)
    assert (ours.sde.steps, kind(ours.sde.betas)) == (1000, betas)
    assert (ours.training.batch_size, ours.training.steps) == (batch, thousands * 1000)
    assert (ours.optimizer.learning_rate, ours.optimizer.weight_decay) == (rate, 0.0)
    assert ours.optimizer.clip_norm is None
    assert ours.ema.decay == 0.9999
    assert kind(ours.objective) == "HybridLoss"
    assert (ours.objective.steps, ours.objective.weight, ours.objective.levels) == (1000, 1.0, 256)
    sampler = ours.sampler.sampler
    assert sampler.n_steps == (1000 if "lsun" in name else 250)
    assert (kind(sampler.predictor.variance), kind(sampler.grid)) == ("LearnedVariance", "Sections")
    assert network.get("attention_order", "legacy") == ("new" if name == "adm/imagenet_64" else "legacy")


@pytest.mark.parametrize("size", SCALES)
def test_adm_guided(size):
    guided = load(f"adm/imagenet_{size}", "guided").sampler.sampler.predictor
    assert guided.guide_scale == SCALES[size]
    assert kind(guided.guide) == "trained"
    assert (ROOT.parent / guided.guide.config).is_file()
    assert load(f"adm/imagenet_{size}").sampler.sampler.predictor.guide is None


def test_adm_guided_without_classes():
    """README of guided-diffusion: scale 10, classes drawn for the classifier alone."""
    plain, ours = load("adm/imagenet_256_unconditional"), load("adm/imagenet_256_unconditional", "guided")
    assert (kind(plain.condition), kind(ours.condition)) == ("Unconditional", "GuidedLabels")
    assert "Unlabelled" in str(ours.sampler.change)
    guided = ours.sampler.sampler.sampler.predictor
    assert (guided.guide_scale, guided.guide.config) == (10.0, "configs/adm/imagenet_256_classifier.py")
    assert plain.sampler.sampler.predictor.guide is None


# blocks, betas, batch, thousands of updates, rate, decay of weights
CLASSIFIERS = {
    64: (4, "CosineBetas", 1024, 300, 6e-4, 0.2),
    128: (2, "LinearBetas", 256, 300, 3e-4, 0.05),
    256: (2, "LinearBetas", 256, 500, 3e-4, 0.05),
    512: (2, "LinearBetas", 256, 500, 3e-4, 0.05),
}


@pytest.mark.parametrize("size", CLASSIFIERS)
def test_adm_classifiers(size):
    ours = load(f"adm/imagenet_{size}_classifier")
    blocks, betas, batch, thousands, rate, decay = CLASSIFIERS[size]
    assert (ours.network.channels, ours.network.blocks, kind(ours.network.pool)) == (
        128,
        blocks,
        "AttentionPool",
    )
    assert kind(ours.sde.betas) == betas
    assert (ours.training.batch_size, ours.training.steps) == (batch, thousands * 1000)
    assert (ours.optimizer.learning_rate, ours.optimizer.weight_decay) == (rate, decay)
    assert (kind(ours.optimizer.schedule), ours.optimizer.schedule.steps) == ("Linear", thousands * 1000)
    assert ours.objective.times.steps == ours.sde.steps == 1000


# the variant, then width, depth, heads, patch, thousands of updates
TRANSFORMERS = {
    "": (1152, 28, 16, 2, 7000),
    "xl_8": (1152, 28, 16, 8, 400),
    "l_4_guided": (1024, 24, 16, 4, 400),
    "b_2_fid": (768, 12, 12, 2, 400),
    "s_8": (384, 12, 6, 8, 400),
}


@pytest.mark.parametrize("name", ["dit/imagenet_256", "sit/imagenet_256"])
@pytest.mark.parametrize("variant", TRANSFORMERS)
def test_transformers(name, variant):
    """Peebles and Xie 2023, table 1 and the options of train.py: AdamW without decay, batches of 256."""
    ours, network = load(name, variant), load(name, variant).network
    width, depth, heads, patch, thousands = TRANSFORMERS[variant]
    assert (network.width, network.depth, network.heads, network.patch) == (width, depth, heads, patch)
    assert (ours.training.steps, ours.training.batch_size) == (thousands * 1000, 256)
    assert (ours.optimizer.learning_rate, ours.optimizer.weight_decay, ours.optimizer.clip_norm) == (
        1e-4,
        0.0,
        None,
    )
    assert (ours.ema.decay, ours.condition.drop, network.n_classes) == (0.9999, 0.1, 1000)
    assert kind(ours.data) == "Latents"
    guided = "guided" in variant
    assert ("FirstChannelsClassifierFree" in str(ours.sampler.get("change"))) == guided
    if guided:
        assert (ours.sampler.change.scale, ours.sampler.change.null) == (1.5, 1000)
    sampler = ours.sampler.sampler if guided else ours.sampler
    assert sampler.n_steps == 250


def test_processes_of_dit_and_sit():
    """DiT: the linear chain, variances learnt. SiT: its paths, its predictions, its loss and its sampler."""
    dit = load("dit/imagenet_256")
    assert (kind(dit.sde), kind(dit.sde.betas), dit.sde.steps) == ("DiscreteVP", "LinearBetas", 1000)
    assert (kind(dit.objective), kind(dit.model)) == ("HybridLoss", "LearnedRange")
    found = {}
    for variant in ("", "gvp", "vp_score", "noise", "ode"):
        ours = load("sit/imagenet_256", variant)
        kinds = (kind(ours.sde), kind(ours.model.precondition), kind(ours.objective.weight))
        found[variant] = (*kinds, ours.objective.times.t_min, kind(ours.sampler))
    assert found == {
        "": ("RectifiedFlow", "DatawardVelocity", "FlowMatching", 0.0, "Sampler"),
        "gvp": ("GVP", "DatawardVelocity", "FlowMatching", 0.0, "Sampler"),
        "vp_score": ("VP", "ScorePrediction", "SigmaSquared", 1e-5, "Sampler"),
        "noise": ("RectifiedFlow", "NoisePrediction", "SigmaSquared", 1e-3, "Sampler"),
        "ode": ("RectifiedFlow", "DatawardVelocity", "FlowMatching", 0.0, "ProbabilityFlowODE"),
    }
    sampler = load("sit/imagenet_256").sampler
    assert (kind(sampler.predictor.diffusion), kind(sampler.final)) == ("SigmaDiffusion", "KeepMean")
    assert (kind(sampler.grid), sampler.grid.grid.t_min) == ("ToZero", 0.04)
