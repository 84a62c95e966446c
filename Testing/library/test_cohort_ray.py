from __future__ import annotations

import os
from pathlib import Path

import pytest
from cohort_scans import command, plant_bad_files, run_cohort_command, tables, write_scans
from example_bundle import example_bundle

from RetinaTriageLib.cli.main import main

pytest.importorskip("ray")
STORE = {"object_store_memory": 80_000_000}


def test_ray_and_this_machine_give_the_same_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ray.cluster_utils import Cluster

    example_bundle(tmp_path / "bundle")
    scans = write_scans(tmp_path / "scans", 3)
    plant_bad_files(scans)
    monkeypatch.setitem(os.environ, "OMP_NUM_THREADS", "1")
    monkeypatch.setitem(os.environ, "PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setitem(os.environ, "RAY_worker_niceness", "0")
    words = ["--save", "tables", "--jobs", "2"]
    run_cohort_command(command(scans, tmp_path / "local", tmp_path / "bundle", *words))
    head = {"num_cpus": 0, "include_dashboard": False, **STORE}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1, **STORE)
        words += ["--engine", "ray", "--ray-address", cluster.address, "--ray-cpus", "1"]
        run_cohort_command(command(scans, tmp_path / "ray", tmp_path / "bundle", *words))
    finally:
        cluster.shutdown()
    assert tables(tmp_path / "ray") == tables(tmp_path / "local")


def test_missing_cluster_is_answered_with_the_command_that_starts_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example_bundle(tmp_path / "bundle")
    scans = write_scans(tmp_path / "scans", 1)
    words = ["--engine", "ray", "--ray-address", "127.0.0.1:1"]
    assert main(command(scans, tmp_path / "out", tmp_path / "bundle", *words)[3:]) == 5
    assert "ray start --head" in capsys.readouterr().err
