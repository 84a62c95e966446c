"""Training in several processes at once, one a GPU or one a CPU, as `torchrun` starts them.

Each process sees batches of its own; gradients are averaged, so all hold the same weights.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from RetinaTriageLib.errors import DeviceError

LONGEST_WAIT = timedelta(hours=12)  # the others wait while the first process validates


@dataclass(frozen=True)
class Processes:
    """The place of a process among those that train one network.

    Attributes
    ----------
    rank : its number; 0 is the one that validates, writes and reports
    device : torch device of this process
    """

    rank: int = 0
    count: int = 1
    device: str = "cpu"

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def own_batch(self, iteration: int) -> int:
        """Tell the number of the batch that this process alone sees in an iteration.

        Examples
        --------
        >>> Processes(rank=1, count=4).own_batch(10)
        41
        """
        return iteration * self.count + self.rank

    def joined(self, network: nn.Module) -> nn.Module:
        """Network whose gradients are averaged over all processes.

        A batch uses one scanner adaptation branch, so weights of the others get no gradient.
        Batch normalization counts in each process by itself; the first one's statistics are kept.
        """
        if self.count == 1:
            return network
        return DistributedDataParallel(network, find_unused_parameters=True)

    def shared(self, value: float) -> float:
        """Value of the first process, in all of them."""
        if self.count == 1:
            return value
        carrier = torch.tensor(value, dtype=torch.float64, device=self.device)
        dist.broadcast(carrier, src=0)
        return float(carrier)

    def wait(self) -> None:
        """Wait until all processes have come here."""
        if self.count > 1:
            dist.barrier()


ALONE = Processes()


@contextmanager
def joined_processes(device: str) -> Iterator[Processes]:
    """Join the processes that `torchrun` started; a process that it did not start is alone.

    Parameters
    ----------
    device : torch device; "cuda" gives each process on a machine a GPU of its own

    Raises
    ------
    DeviceError
        If there are more processes than GPUs.
    """
    count = int(os.environ.get("WORLD_SIZE", "1")) if dist.is_torchelastic_launched() else 1
    if count == 1:
        yield Processes(device=device)
        return
    on_gpu = torch.device(device).type == "cuda"
    if on_gpu:
        device = _own_gpu(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if on_gpu else "gloo", timeout=LONGEST_WAIT)
    try:
        yield Processes(dist.get_rank(), dist.get_world_size(), device)
    finally:
        dist.destroy_process_group()


def _own_gpu(number: int) -> str:
    present = torch.cuda.device_count()
    if number >= present:
        msg = (
            f"Found {present} GPUs for process {number + 1} of this machine; expected one each. "
            f"Start torchrun with --nproc-per-node {max(1, present)}."
        )
        raise DeviceError(msg)
    torch.cuda.set_device(number)
    return f"cuda:{number}"
