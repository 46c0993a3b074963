"""Gives conf/config.yaml its `${conf_hash:}`, in DVC's process as in ours."""

from omegaconf import OmegaConf

from seedbed.config.conf_hash import conf_hash
from seedbed.config.repository import find_root

OmegaConf.register_new_resolver("conf_hash", lambda: conf_hash(find_root()), replace=True)
