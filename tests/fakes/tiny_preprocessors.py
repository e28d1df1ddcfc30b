"""Random-weight models of a few kilobytes that make depth, segmentation and pose maps."""

from pathlib import Path

import torch
from transformers import (
    DepthAnythingConfig,
    DepthAnythingForDepthEstimation,
    Dinov2Config,
    DPTConfig,
    DPTForDepthEstimation,
    DPTImageProcessorPil,
    SegformerConfig,
    SegformerForSemanticSegmentation,
    SegformerImageProcessorPil,
    VitPoseBackboneConfig,
    VitPoseConfig,
    VitPoseForPoseEstimation,
    VitPoseImageProcessorPil,
    YolosConfig,
    YolosForObjectDetection,
    YolosImageProcessorPil,
)

CLASSES = 7
SIDE = 64


def build_depth(folder: Path) -> Path:
    """A DPT folder; returns it."""
    torch.manual_seed(1)
    config = DPTConfig(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=SIDE,
        patch_size=16,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[8, 8, 16, 16],
        reassemble_factors=[4, 2, 1, 0.5],
        fusion_hidden_size=16,
        is_hybrid=False,
    )
    DPTForDepthEstimation(config).save_pretrained(folder)
    DPTImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


def build_distance(folder: Path) -> Path:
    """A Depth Anything folder that tells metres and not nearness; returns it."""
    torch.manual_seed(2)
    backbone = Dinov2Config(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=56,
        patch_size=14,
        out_features=["stage1", "stage2", "stage3", "stage4"],
        reshape_hidden_states=False,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=16,
        patch_size=14,
        neck_hidden_sizes=[4, 8, 8, 16],
        fusion_hidden_size=8,
        depth_estimation_type="metric",
        max_depth=80,
    )
    DepthAnythingForDepthEstimation(config).save_pretrained(folder)
    DPTImageProcessorPil(size={"height": 56, "width": 56}, ensure_multiple_of=14).save_pretrained(
        folder
    )
    return folder


def build_segmentation(folder: Path) -> Path:
    """A SegFormer folder of CLASSES classes; returns it."""
    torch.manual_seed(3)
    config = SegformerConfig(
        hidden_sizes=[8, 8, 16, 16],
        depths=[1, 1, 1, 1],
        num_attention_heads=[1, 1, 2, 2],
        decoder_hidden_size=16,
        num_labels=CLASSES,
    )
    model = SegformerForSemanticSegmentation(config)
    with torch.no_grad():  # so that more than one class is seen
        for weight in model.parameters():
            weight.mul_(4)
    model.save_pretrained(folder)
    SegformerImageProcessorPil(size={"height": SIDE, "width": SIDE}).save_pretrained(folder)
    return folder


def build_pose(folder: Path, *, experts: int = 1) -> Path:
    """A ViTPose folder; returns it. Every joint is sure."""
    torch.manual_seed(4)
    backbone = VitPoseBackboneConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=[64, 48],
        patch_size=[16, 16],
        num_experts=experts,
        part_features=8 if experts > 1 else 0,
    )
    config = VitPoseConfig(backbone_config=backbone, num_labels=17)
    model = VitPoseForPoseEstimation(config)
    with torch.no_grad():
        model.head.conv.weight.mul_(40)
        model.head.conv.bias.fill_(1.0)
    model.save_pretrained(folder)
    VitPoseImageProcessorPil(size={"height": 64, "width": 48}).save_pretrained(folder)
    return folder


def build_detector(folder: Path, *, people: bool) -> Path:
    """A YOLOS folder that is sure of a person in every box, or of none; returns it."""
    torch.manual_seed(5)
    config = YolosConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=[64, 64],
        patch_size=16,
        num_detection_tokens=3,
        use_mid_position_embeddings=False,
        id2label={0: "cat", 1: "person"},
        label2id={"cat": 0, "person": 1},
    )
    model = YolosForObjectDetection(config)
    with torch.no_grad():
        model.class_labels_classifier.layers[-1].bias.copy_(
            torch.tensor([0.0, 20.0, 0.0] if people else [20.0, 0.0, 0.0])
        )
    model.save_pretrained(folder)
    YolosImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96}).save_pretrained(folder)
    return folder
