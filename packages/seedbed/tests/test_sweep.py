"""What a sweep composes from is one conf/, whatever happens to the repository's meanwhile."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from seedbed.config.conf_hash import conf_hash
from seedbed.errors import UserError
from seedbed.sweep import keep_conf, kept_conf

from support import REPOSITORY


def test_what_is_composed_has_the_hash_of_what_was_copied(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "conf", tmp_path / "conf")
    before = conf_hash(tmp_path)
    keep_conf(tmp_path, tmp_path / "kept")
    (tmp_path / "conf/config.yaml").write_text("seed: 5\n")
    kept = OmegaConf.load(tmp_path / "kept/config.yaml")
    assert kept.conf_hash == before != conf_hash(tmp_path)
    assert kept.seed == 0
    assert (tmp_path / "kept/sweep.yaml").read_bytes() == (
        REPOSITORY / "conf/sweep.yaml"
    ).read_bytes()


def test_a_file_that_hydra_would_not_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/mine.yml").touch()
    with pytest.raises(UserError, match=r"conf/mine\.yml: Hydra reads only \.yaml"):
        keep_conf(tmp_path, tmp_path / "kept")


def test_the_copy_goes_with_the_sweep_and_so_do_those_of_killed_ones(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "conf", tmp_path / "conf")
    with subprocess.Popen(["true"]) as ended:
        pass
    left, alive = (
        tmp_path / f".dvc/tmp/conf-{process}-abc_d-e" for process in (ended.pid, os.getpid())
    )
    for folder in (left, alive):
        folder.mkdir(parents=True)
    with kept_conf(tmp_path) as kept:
        assert (kept / "config.yaml").exists()
        assert not left.exists()
    assert not kept.exists()
    assert alive.exists(), "that of another sweep of this process, or of one that works now"
