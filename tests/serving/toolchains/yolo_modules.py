"""Modules of the form that Ultralytics and YOLOX export: grids over the photo's own pixels."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

CLASSES, PROTOTYPES, KEYPOINTS = 3, 32, 4
STRIDES = (8, 16, 32)


class Grids(nn.Module):
    """Numbers with random weights for every cell: a box, scores, and extra ones."""

    anchors, objectness, classes, extras = 1, False, CLASSES, 0
    gain = 1.0
    """For inputs in [0, 1]."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(5)
        self.numbers = 4 + self.objectness + self.classes + self.extras
        self.convs = nn.ModuleList(nn.Conv2d(3, self.anchors * self.numbers, 1) for _ in STRIDES)
        for conv in self.convs:
            nn.init.normal_(conv.weight, std=1.5 * self.gain)

    def forward(self, images):
        levels = zip(STRIDES, self.convs, strict=True)
        return self.formed(torch.cat([self.cells(images, *level) for level in levels], dim=1))

    def cells(self, images, stride, conv):
        """(1, A, numbers) of one grid, pixels of the input."""
        cells = functional.avg_pool2d(images, stride)
        height, width = cells.shape[2:]
        raw = conv(cells).reshape(1, self.anchors, self.numbers, height, width)
        raw = raw.permute(0, 1, 3, 4, 2).reshape(1, -1, self.numbers)
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        grid = torch.stack([x, y], -1).reshape(1, -1, 2).repeat(1, self.anchors, 1).float()
        return torch.cat([self.box(raw, grid, stride), self.rest(raw, grid, stride)], -1)

    def box(self, raw, grid, stride):
        centre = (grid + raw[..., :2].sigmoid()) * stride
        return torch.cat([centre, raw[..., 2:4].clamp(-1, 1).exp() * stride * 2], -1)

    def rest(self, raw, grid, stride):
        return raw[..., 4:].sigmoid()

    def formed(self, table):
        return table


class Yolo5(Grids):
    anchors, objectness = 3, True


class Yolo8(Grids):
    def formed(self, table):
        return table.transpose(1, 2)


class Yolox(Grids):
    objectness, gain = True, 1 / 255


class YoloxGrids(Yolox):
    def box(self, raw, grid, stride):
        return raw[..., :4]


class EndToEnd(Grids):
    """The best 20 boxes, each with its corners, score, class and extra numbers."""

    def formed(self, table):
        last = self.numbers - self.extras
        score, label = table[..., 4:last].max(-1)
        best, rows = score.topk(20, dim=1)
        kept = table.gather(1, rows[..., None].expand(-1, -1, self.numbers))
        half = kept[..., 2:4] / 2
        drawn = torch.cat([kept[..., :2] - half, kept[..., :2] + half], -1)
        labels = label.gather(1, rows).float()
        return torch.cat([drawn, best[..., None], labels[..., None], kept[..., last:]], -1)


class Segments(Grids):
    """With 32 coefficients of every box, and prototypes."""

    extras = PROTOTYPES

    def __init__(self):
        super().__init__()
        self.prototypes = nn.Conv2d(3, PROTOTYPES, 1)

    def rest(self, raw, grid, stride):
        return torch.cat([raw[..., 4:-PROTOTYPES].sigmoid(), raw[..., -PROTOTYPES:]], -1)

    def forward(self, images):
        return super().forward(images), self.prototypes(functional.avg_pool2d(images, 4))


class Yolo5Segments(Segments, Yolo5):
    pass


class Yolo8Segments(Segments, Yolo8):
    pass


class EndToEndSegments(Segments, EndToEnd):
    pass


class Joints(Grids):
    """One class, and keypoints with confidences."""

    classes, extras = 1, 3 * KEYPOINTS

    def rest(self, raw, grid, stride):
        points = raw[..., 5:].reshape(1, -1, KEYPOINTS, 3)
        xy = (grid[:, :, None] + points[..., :2]) * stride
        points = torch.cat([xy, points[..., 2:].sigmoid()], -1)
        return torch.cat([raw[..., 4:5].sigmoid(), points.flatten(2)], -1)


class Pose(Joints, Yolo8):
    pass


class EndToEndPose(Joints, EndToEnd):
    pass
