"""Poses of people by a ViTPose model (Xu et al., 2022), with a detector of people if there is one.

ViTPose looks at one person in a box. Where a detector lies in `preprocessors/pose/detector/`, every
person it finds gets a box; without one, the whole picture is one person's.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import AutoModelForObjectDetection, VitPoseForPoseEstimation

from brand.spec import ModelMissing
from generation.engine.preprocess.learned import read_model
from generation.engine.preprocess.places import FOLDER, folder_of
from generation.engine.preprocess.skeleton import COCO_JOINTS, draw_people
from generation.pixels import fitted

DETECTOR = "detector"
_SURE_PERSON = 0.5
"""Least score of a found person."""
_SURE_JOINT = 0.3
"""Least score of a joint that is drawn."""
_MOST_PEOPLE = 20
_COCO_DATASET = 0
"""Of ViTPose+, which knows several sets of joints."""


class Pose:
    """One loaded pose model, and perhaps a detector."""

    def __init__(self, folder: Path) -> None:
        """Raises ModelMissing."""
        self._processor, self._model = read_model("pose", folder, VitPoseForPoseEstimation)
        if self._model.config.num_labels != COCO_JOINTS:
            raise ModelMissing(
                f"The weights in {FOLDER}/pose cannot be used: they know"
                f" {self._model.config.num_labels} joints, not COCO's {COCO_JOINTS}."
            )
        self._detector = _Detector(folder / DETECTOR) if (folder / DETECTOR).is_dir() else None

    def map_of(self, picture: Image.Image, width: int, height: int) -> Image.Image:
        """The people of the picture's middle as coloured stick figures on black, in RGB."""
        shown = fitted(picture, width, height)
        boxes = self._detector.people(shown) if self._detector else [[0.0, 0.0, width, height]]
        people = self._poses(shown, boxes) if boxes else []
        return Image.fromarray(draw_people(people, width, height))

    @torch.inference_mode()
    def _poses(self, shown: Image.Image, boxes: list[list[float]]) -> list[np.ndarray]:
        inputs = self._processor(shown, boxes=[boxes], return_tensors="pt")
        more: dict[str, Any] = {}
        if self._model.config.backbone_config.num_experts > 1:
            more["dataset_index"] = torch.full((len(boxes),), _COCO_DATASET)
        found = self._model(pixel_values=inputs["pixel_values"], **more)
        people = self._processor.post_process_pose_estimation(found, boxes=[boxes])[0]
        return [
            np.concatenate(
                [person["keypoints"].numpy(), (person["scores"].numpy() >= _SURE_JOINT)[:, None]],
                axis=1,
            )
            for person in people
        ]


class _Detector:
    def __init__(self, folder: Path) -> None:
        kind = f"pose/{DETECTOR}"
        self._processor, self._model = read_model(kind, folder, AutoModelForObjectDetection)
        names = self._model.config.id2label
        self._person = next((number for number, name in names.items() if name == "person"), None)
        if self._person is None:
            raise ModelMissing(f"The weights in {FOLDER}/{kind} do not know the class 'person'.")

    @torch.inference_mode()
    def people(self, shown: Image.Image) -> list[list[float]]:
        """[left, top, width, height] in pixels of every person found, the surest first."""
        inputs = self._processor(images=shown, return_tensors="pt")
        found = self._model(**inputs)
        size = [(shown.height, shown.width)]
        result = self._processor.post_process_object_detection(
            found, threshold=_SURE_PERSON, target_sizes=size
        )[0]
        order = result["scores"].argsort(descending=True, stable=True)
        boxes = [
            _box(result["boxes"][i].tolist()) for i in order if result["labels"][i] == self._person
        ]
        return boxes[:_MOST_PEOPLE]


def _box(corners: list[float]) -> list[float]:
    left, top, right, bottom = corners
    return [left, top, max(1.0, right - left), max(1.0, bottom - top)]


def load(models_dir: Path | None) -> Pose:
    """The model in preprocessors/pose. Raises ModelMissing."""
    return Pose(folder_of(models_dir, "pose"))
