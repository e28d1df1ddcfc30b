"""Draws people as the coloured stick figures that ControlNets for poses were trained on.

The figure is OpenPose's (Cao et al., 2019): 18 joints, 17 limbs, one hue each, evenly around the
colour circle. Pose models tell COCO's 17 joints; the neck is midway between the shoulders.
"""

import colorsys
from collections.abc import Sequence

import cv2
import numpy as np

COCO_JOINTS = 17
_FROM_COCO = (0, -1, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
"""COCO's number of each of OpenPose's joints; -1: the neck."""
_SHOULDERS = (5, 6)
_NECK = 1
_LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12),
    (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
_HUES = 18
_LIMB_LIGHT = 0.6
_THICKNESS = 8
"""Of a limb, in pixels where the short side has 512."""
_SHIFT = 4
"""OpenCV draws at sixteenths of a pixel."""


def draw_people(people: Sequence[np.ndarray], width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8, black behind. Each person is (17, 3): x, y in pixels and 1 where
    the joint was found, else 0."""
    canvas = np.zeros((height, width, 3), np.uint8)
    thick = max(2, round(_THICKNESS * min(width, height) / 512))
    for person in people:
        _draw(canvas, _openpose(person), thick)
    return canvas


def _openpose(person: np.ndarray) -> np.ndarray:
    """(18, 3) from COCO's (17, 3)."""
    left, right = (person[index] for index in _SHOULDERS)
    joints = person[[max(0, index) for index in _FROM_COCO]]
    joints[_NECK] = (*((left + right) / 2)[:2], min(left[2], right[2]))
    return joints


def _draw(canvas: np.ndarray, joints: np.ndarray, thick: int) -> None:
    for number, (start, end) in enumerate(_LIMBS):
        if joints[start, 2] and joints[end, 2]:
            color = _color(number, _LIMB_LIGHT)
            cv2.line(canvas, _place(joints[start]), _place(joints[end]), color, thick, shift=_SHIFT)
    for number, joint in enumerate(joints):
        if joint[2]:
            radius = (thick // 2) << _SHIFT
            cv2.circle(canvas, _place(joint), radius, _color(number), -1, shift=_SHIFT)


def _place(joint: np.ndarray) -> tuple[int, int]:
    return round(float(joint[0]) * (1 << _SHIFT)), round(float(joint[1]) * (1 << _SHIFT))


def _color(number: int, light: float = 1.0) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(number / _HUES, 1.0, light)
    return round(red * 255), round(green * 255), round(blue * 255)
