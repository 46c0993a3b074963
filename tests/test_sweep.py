"""What a sweep composes from is one conf/, whatever happens to the repository's meanwhile."""

import shutil
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from seedbed.config.conf_hash import conf_hash
from seedbed.errors import UserError
from seedbed.sweep import keep_conf

from support import REPOSITORY


def test_what_is_composed_has_the_hash_of_what_was_copied(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "conf", tmp_path / "conf")
    before = conf_hash(tmp_path)
    keep_conf(tmp_path, tmp_path / "kept")
    (tmp_path / "conf/config.yaml").write_text("seed: 5\n")
    kept = OmegaConf.load(tmp_path / "kept/config.yaml")
    assert kept.conf_hash == before != conf_hash(tmp_path)
    assert kept.seed == 0
    assert (tmp_path / "kept/sweep.yaml").read_bytes() == (REPOSITORY / "conf/sweep.yaml").read_bytes()


def test_a_file_that_hydra_would_not_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/mine.yml").touch()
    with pytest.raises(UserError, match=r"conf/mine\.yml: Hydra reads only \.yaml"):
        keep_conf(tmp_path, tmp_path / "kept")
