"""Restoring images with a trained model: a measurement, draws from the posterior, pictures and numbers."""

from score_sde.experiment.restoring.images import image_files, read_brightness, read_measured
from score_sde.experiment.restoring.one import Restoration, restore_one
from score_sde.experiment.restoring.run import Task, restore_images

__all__ = [
    "Restoration",
    "Task",
    "image_files",
    "read_brightness",
    "read_measured",
    "restore_images",
    "restore_one",
]
