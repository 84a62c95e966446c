from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from training_job import BRANCHES, PLAN

from RetinaTriageLib.training.checkpoints import read_tensors
from RetinaTriageLib.training.processes import Processes, joined_processes
from RetinaTriageLib.training.sample_folder import Folder
from RetinaTriageLib.training.segmentation_loop import train_segmentation

JOB = Path(__file__).with_name("training_job.py")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(JOB.parents[2])}
LONGEST_S = 300


def two_scanners(folder: Path) -> Path:
    """Stacks of single B-scans, dark over bright, of two scanners in turn."""
    folder.mkdir()
    for number in range(6):
        codes = np.zeros((1, 24, 24), np.uint8)
        codes[:, 8 + number :] = 3
        device = np.array(BRANCHES[number % 2])
        np.savez(folder / f"{number}.npz", image=codes * np.uint8(60), codes=codes, device=device)
    return folder


def iterations(run: Path) -> list[int]:
    with (run / "log.csv").open(encoding="utf-8") as file:
        return [int(row["iteration"]) for row in csv.DictReader(file)]


def weights(run: Path) -> dict[str, torch.Tensor]:
    return read_tensors(run / "final.safetensors")[0]


def torchrun(*words: str) -> None:
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command = [*launch, "--nproc-per-node", "2", str(JOB), *words]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def test_process_that_torchrun_did_not_start_is_alone() -> None:
    with joined_processes("cpu") as processes:
        assert processes == Processes(0, 1, "cpu")
        assert processes.shared(1.5) == 1.5


def test_processes_see_batches_of_their_own() -> None:
    seen = [Processes(rank, 3).own_batch(iteration) for iteration in range(4) for rank in range(3)]
    assert seen == list(range(12))


def test_run_that_was_really_killed_ends_with_the_same_weights(tmp_path: Path) -> None:
    data, run = two_scanners(tmp_path / "data"), tmp_path / "killed"
    command = [sys.executable, str(JOB), str(data), str(run), "0.2"]
    with subprocess.Popen(command, env=ENVIRONMENT) as job:
        end = time.monotonic() + LONGEST_S
        while not (run / "last.safetensors").exists() and job.poll() is None:
            assert time.monotonic() < end
            time.sleep(0.02)
        job.kill()
    assert job.returncode == -signal.SIGKILL
    assert not (run / "final.safetensors").exists()
    for folder in (run, tmp_path / "whole"):
        train_segmentation(PLAN, [Folder(data)], folder)
    torch.testing.assert_close(weights(run), weights(tmp_path / "whole"))
    assert iterations(run) == list(range(1, PLAN.optimization.iterations + 1))


def test_two_processes_train_one_network_and_resume_it(tmp_path: Path) -> None:
    data, run = two_scanners(tmp_path / "data"), tmp_path / "run"
    torchrun(str(data), str(run))
    assert iterations(run) == list(range(1, PLAN.optimization.iterations + 1))
    (run / "final.safetensors").unlink()
    torchrun(str(data), str(run))  # finds the run at its end
    train_segmentation(PLAN, [Folder(data)], tmp_path / "alone")
    together, alone = weights(run), weights(tmp_path / "alone")
    assert {name: value.shape for name, value in together.items()} == {
        name: value.shape for name, value in alone.items()
    }
    assert not torch.equal(together["head.weight"], alone["head.weight"])
    assert sorted(file.name for file in run.iterdir()) == sorted(
        file.name for file in (tmp_path / "alone").iterdir()
    )
