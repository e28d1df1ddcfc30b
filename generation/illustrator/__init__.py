"""Draws product pictures from words, without torch: training data, tests, the drawn engine."""

from generation.illustrator.captions import caption
from generation.illustrator.drawing import draw
from generation.illustrator.prompts import scene_from_prompt
from generation.illustrator.scene import Scene

__all__ = ["Scene", "caption", "draw", "scene_from_prompt"]
