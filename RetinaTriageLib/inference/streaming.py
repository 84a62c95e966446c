"""A segmentation network that B-scans stream through once, in chunks of any size.

Each cross-slice convolution keeps the last two B-scans of its input until the next one comes, so
that every activation is computed once, exactly, without overlap between chunks. Batch
normalization is folded into the convolutions.
"""

from __future__ import annotations

from collections import deque

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor, nn

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.inference.convolution import Convolution, fold, halved, prepared
from RetinaTriageLib.networks.blocks import conv_units
from RetinaTriageLib.networks.segmentation import (
    DecoderLevel,
    EncoderLevel,
    SegmentationNetwork,
    fold_depth,
    joined,
    require_branch,
)


class _SliceStage:
    """Cross-slice convolution with its queue; adds its result to the B-scan in the middle."""

    def __init__(self, conv: Convolution) -> None:
        self._conv = conv
        self._pending: Tensor | None = None

    def begin(self) -> None:
        self._pending = None

    def push(self, x: Tensor | None, *, last: bool) -> Tensor | None:
        """Take the next B-scans; give those whose neighbors on both sides are known."""
        known = [tensor for tensor in (self._pending, x) if tensor is not None]
        if not known:
            return None
        edge = torch.zeros_like(known[0][:1])
        if self._pending is None:
            known.insert(0, edge)
        if last:
            known.append(edge)
        queue = torch.cat(known)
        self._pending = queue[-2:].clone(memory_format=torch.channels_last)
        if queue.shape[0] < 3:
            return None
        middle = queue[1:-1]
        return self._conv(torch.cat((queue[:-2], middle, queue[2:]), dim=1)).add_(middle)


class _EncoderStage:
    """One encoder level; ``skips`` holds its features until the decoder asks for them."""

    def __init__(self, level: EncoderLevel, dtype: torch.dtype, *, fused: bool) -> None:
        self._first = fold(level.first, dtype, fused=fused)
        self._slices = None
        if level.slices is not None:
            self._slices = _SliceStage(fold(level.slices.unit, dtype, fused=fused))
        self._second = fold(level.second, dtype, fused=fused)

    def begin(self) -> None:
        if self._slices is not None:
            self._slices.begin()

    def push(self, x: Tensor | None, *, last: bool) -> Tensor | None:
        """Features of the B-scans now complete at this level."""
        if x is not None:
            x = self._first(halved(x))
        if self._slices is not None:
            x = self._slices.push(x, last=last)
        return None if x is None else self._second(x)


class _DecoderStage:
    """One decoder level; a B-scan needs no neighbors here."""

    def __init__(self, level: DecoderLevel, dtype: torch.dtype, *, fused: bool) -> None:
        self._weight = prepared(level.up.weight, dtype)
        self._bias = None if level.up.bias is None else level.up.bias.detach().to(dtype)
        self._first = fold(level.first, dtype, fused=fused)
        self._second = fold(level.second, dtype, fused=fused)

    def __call__(self, x: Tensor, skip: Tensor) -> Tensor:
        up = F.conv_transpose2d(x, self._weight, self._bias, stride=2)
        return self._second(self._first(joined(up, skip)))


class _Skips:
    """Features of an encoder level that wait for the decoder, in the order of the B-scans."""

    def __init__(self) -> None:
        self._chunks: deque[Tensor] = deque()

    def add(self, x: Tensor) -> None:
        """Keep the features (N, channel, depth, width) of the next B-scans."""
        self._chunks.append(x)

    def take(self, count: int) -> Tensor:
        """Features of the first ``count`` B-scans; not copied where they came together."""
        taken: list[Tensor] = []
        while count:
            chunk = self._chunks.popleft()
            if len(chunk) > count:
                self._chunks.appendleft(chunk[count:])
                chunk = chunk[:count]
            taken.append(chunk)
            count -= len(chunk)
        return taken[0] if len(taken) == 1 else torch.cat(taken)


class StreamedNetwork:
    """A trained segmentation network and one scanner branch, for B-scans in their order.

    Equal to ``SegmentationNetwork.forward`` in evaluation mode on the whole volume. Call `begin`,
    then `push` chunk by chunk; the answer lags behind by the context of the network.

    Parameters
    ----------
    dtype : float32, or bfloat16 where the device computes fast in it
    fused : whether to use oneDNN's kernels directly, see `fused_kernels_agree`
    """

    def __init__(
        self,
        network: SegmentationNetwork,
        branch: str,
        dtype: torch.dtype = torch.float32,
        *,
        fused: bool = False,
    ) -> None:
        require_branch(network.config, branch)
        self._config, self._dtype = network.config, dtype
        self._device = network.head.weight.device
        self._branch = [
            fold(unit, dtype, fused=fused) for unit in conv_units(network.branches[branch])
        ]
        self._encoder = [
            _EncoderStage(level, dtype, fused=fused)
            for level in network.encoder.values()
            if isinstance(level, EncoderLevel)
        ]
        self._decoder = [
            _DecoderStage(level, dtype, fused=fused)
            for level in network.decoder.values()
            if isinstance(level, DecoderLevel)
        ]
        # In single precision: rounded scores would tie, and it costs no time.
        head, classes = network.head, network.config.classes
        self._head_weight = _depth_first(head.weight.detach().float().flatten(1), classes)
        self._head_bias = _depth_first(_head_bias(head).detach().float()[:, None], classes)
        self.begin()

    def begin(self) -> None:
        """Forget everything; the next B-scan is the first of a volume."""
        for stage in self._encoder:
            stage.begin()
        self._skips = [_Skips() for _ in self._encoder]
        self._size: tuple[int, int] | None = None
        self._ended = False

    @torch.inference_mode()
    def push(self, bscans: Tensor | None, *, last: bool) -> Tensor:
        """Class scores before softmax of the B-scans now complete; there may be none.

        Parameters
        ----------
        bscans : float tensor (B-scan, depth, width), normalized gray values of the next B-scans;
            None where only the end is to be told
        last : True if no B-scan follows; all that is outstanding comes back

        Returns
        -------
        float32 tensor (B-scan, class, depth, width)

        Raises
        ------
        InputError
            If B-scans of another size follow, none came at all, or the volume had ended already.
        """
        depth, width = self._require_next(bscans)
        self._ended = last
        x = None
        if bscans is not None and bscans.shape[0]:
            x = fold_depth(bscans.to(self._device, self._dtype))
            for unit in self._branch:
                x = unit(x)
        for stage, skips in zip(self._encoder, self._skips, strict=True):
            if x is not None:
                skips.add(x)
            x = stage.push(x, last=last)
        if x is None:
            return torch.empty(0, self._config.classes, depth, width, device=self._device)
        count = x.shape[0]
        for level, skips in zip(self._decoder, reversed(self._skips), strict=True):
            x = level(x, skips.take(count))
        return self._scores(x, depth, width)

    def _scores(self, x: Tensor, depth: int, width: int) -> Tensor:
        """Float32 scores (N, class, depth, width) at full depth of features of half the depth.

        In memory they lie as (N, depth, class, width): so the two depths of a row of features come
        out where they belong, and nothing is copied.
        """
        rows = x.permute(0, 2, 3, 1).float().flatten(0, 1)
        scores = torch.matmul(self._head_weight, rows.transpose(1, 2)).add_(self._head_bias)
        return scores.view(x.shape[0], -1, self._config.classes, width)[:, :depth].transpose(1, 2)

    def _require_next(self, bscans: Tensor | None) -> tuple[int, int]:
        if self._ended:
            msg = "Found B-scans after the last one of a volume; call begin() for the next volume."
            raise InputError(msg)
        if bscans is not None:
            if bscans.ndim != 3 or self._size not in (None, tuple(bscans.shape[1:])):
                expected = self._size or ("depth", "width")
                msg = (
                    f"Expected (B-scan, {expected[0]}, {expected[1]}), got {tuple(bscans.shape)}; "
                    "all B-scans of a volume have one size."
                )
                raise InputError(msg)
            self._size = (bscans.shape[1], bscans.shape[2])
        if self._size is None:
            msg = "Found the end of a volume without B-scans; push its B-scans first."
            raise InputError(msg)
        return self._size


def _depth_first(rows: Tensor, classes: int) -> Tensor:
    """Rows (2 * class, N) of the head, first those of the even depths."""
    return rows.reshape(classes, 2, -1).transpose(0, 1).reshape(2 * classes, -1)


def _head_bias(head: nn.Conv2d) -> Tensor:
    return head.weight.new_zeros(head.out_channels) if head.bias is None else head.bias
