"""Cheapest path through a cost image, from the first to the last column.

Dynamic programming as in Chiu et al., Opt. Express 18:19413 (2010), on columns instead of a graph:
the path has one depth per column and a limited slope. All B-scans advance together.
"""

from __future__ import annotations

import numpy as np

from RetinaTriageLib.volume import FloatArray


def minimal_path(cost: FloatArray, max_step: int, step_cost: float) -> FloatArray:
    """Cheapest path of every B-scan: float32 array (B-scan, width), whole depths in px.

    Parameters
    ----------
    cost : float array (B-scan, depth, width)
    max_step : largest change of depth from one column to the next, in px
    step_cost : price of a change of s px is ``step_cost * s**2``
    """
    return _trace_back(_arrival_cost(cost, max_step, step_cost), max_step, step_cost)


def minimal_path_and_margin(
    cost: FloatArray, max_step: int, step_cost: float, rival_px: float
) -> tuple[FloatArray, FloatArray]:
    """Cheapest path of every B-scan, and by how much it beats rivals, column by column.

    Parameters
    ----------
    cost, max_step, step_cost : as in `minimal_path`
    rival_px : a rival is a path that passes a column more than this far from the cheapest one

    Returns
    -------
    path : float32 array (B-scan, width), whole depths in px
    margin : float32 array (B-scan, width), cost of the best rival minus cost of the path
    """
    forward = _arrival_cost(cost, max_step, step_cost)
    backward = _arrival_cost(cost[:, :, ::-1], max_step, step_cost)[::-1]
    path = _trace_back(forward, max_step, step_cost)
    through = forward + backward - cost.transpose(2, 0, 1)  # (width, B-scan, depth)
    best = through.min(axis=2)
    depth = np.arange(cost.shape[1], dtype=np.float32)
    elsewhere = np.abs(depth - path.T[:, :, None]) > rival_px
    rival = np.where(elsewhere, through, np.inf).min(axis=2)
    return path, (rival - best).T.astype(np.float32)


def _arrival_cost(cost: FloatArray, max_step: int, step_cost: float) -> FloatArray:
    """Cost of the cheapest path into each pixel, float32 array (width, B-scan, depth)."""
    bscans, depths, widths = cost.shape
    total = np.ascontiguousarray(cost.transpose(2, 0, 1), np.float32)
    prices = _prices(max_step, step_cost)[:, None, None]
    padded = np.full((bscans, depths + 2 * max_step), np.inf, np.float32)
    inner = padded[:, max_step : max_step + depths]
    windows = np.lib.stride_tricks.sliding_window_view(padded, depths, axis=1).transpose(1, 0, 2)
    offers = np.empty(windows.shape, np.float32)  # (step, B-scan, depth)
    for column in range(1, widths):
        inner[:] = total[column - 1]
        np.add(windows, prices, out=offers)
        total[column] += np.minimum.reduce(offers, axis=0)
    return total


def _trace_back(total: FloatArray, max_step: int, step_cost: float) -> FloatArray:
    prices = _prices(max_step, step_cost)
    # Infinite borders take the place of a check on every step.
    padded = np.pad(total, ((0, 0), (0, 0), (max_step, max_step)), constant_values=np.inf)
    bscan = np.arange(total.shape[1])[:, None]
    window = np.arange(prices.size)
    depth = total[-1].argmin(axis=1)
    path = np.empty(total.shape[:2], np.intp)
    path[-1] = depth
    for column in range(len(total) - 2, -1, -1):
        offers = padded[column][bscan, depth[:, None] + window]  # (B-scan, step)
        offers += prices
        depth = depth + (offers.argmin(axis=1) - max_step)
        path[column] = depth
    return path.T.astype(np.float32)


def _prices(max_step: int, step_cost: float) -> FloatArray:
    steps = np.arange(-max_step, max_step + 1, dtype=np.float32)
    return np.asarray(np.float32(step_cost) * steps**2)
