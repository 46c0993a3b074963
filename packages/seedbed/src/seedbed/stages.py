"""Stages: functions of the project that `dvc repro` runs with the parameters that they name."""

import atexit
import gc
import inspect
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from seedbed.config.extensions import check_function
from seedbed.config.params import read_params
from seedbed.config.project import import_module_of_project, project_package
from seedbed.config.schema import Params
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError, did_you_mean, disk_problem

COLLECT_AFTER = 50_000
"""How many objects are made before Python looks for unused cycles. By its own default it looks so
often that it takes a tenth of a stage: importing makes some 300,000, which all stay."""
Stage = TypeVar("Stage", bound=Callable[..., None])
_stages: dict[str, Callable[..., None]] = {}


def stage(function: Stage) -> Stage:
    """Mark the function that a stage runs.

    Its arguments are named after the sections of params.yaml that it reads. A stage ``train`` is
    the marked function of ``src/project/stages/train.py``, and dvc.yaml runs it by
    ``sh src/stage.sh train``.

    Raises
    ------
    UserError
        If its module has another stage already, or what is decorated is no function.

    Examples
    --------
    >>> from seedbed.stages import stage
    >>> @stage
    ... def clean(columns, cleaning):
    ...     ...
    """
    check_function("stage", function)
    if inspect.isgeneratorfunction(function):
        raise UserError(f"{function.__name__} is a stage, and would not be run, as it yields.")
    earlier = _stages.setdefault(function.__module__, function)
    if earlier.__qualname__ != function.__qualname__:
        raise UserError(
            f"both {earlier.__name__} and {function.__name__} are marked with @stage, and a module "
            "holds one stage. Move one of them to a module of its own."
        )
    return function


def load_stage(name: str) -> Callable[..., None]:
    """Import a stage of the project in the working directory.

    Raises UserError if there is no such stage, or its module cannot be imported; the message names
    module and line.
    """
    package = project_package(Path())
    module, file = f"{package}.stages.{name}", Path(f"src/{package}/stages/{name}.py")
    if not Path("src", package).is_dir():
        raise UserError(
            f"pyproject.toml, [tool.seedbed] package is {package!r}, and there is no "
            f"src/{package}. Name the project's package there."
        )
    if not file.is_file():
        raise UserError(
            f"there is no stage {name}: {file} is missing. Write it, or correct cmd in dvc.yaml."
        )
    import_module_of_project(module)
    if module not in _stages:
        raise UserError(
            f"{file}: no function is marked with @stage. Mark the one that the stage runs."
        )
    return _stages[module]


def run_stage(name: str) -> None:
    """Run a stage with the parts of ./params.yaml that its arguments are named after.

    Exits with code 1 and a paragraph on standard error when a :class:`UserError` is raised.
    """
    gc.set_threshold(COLLECT_AFTER)
    try:
        function = load_stage(name)
        asked = inspect.signature(function).parameters
        if unknown := next((key for key in asked if key not in Params.model_fields), None):
            raise UserError(
                f"the stage asks for {unknown}, which is no section of params.yaml"
                f"{did_you_mean(unknown, Params.model_fields)}. Name its arguments after sections: "
                f"{', '.join(Params.model_fields)}."
            )
        function(**read_params(asked))
    except UserError as error:
        sys.exit(f"{name}: {_with_file(str(error))}")
    except OSError as error:
        sys.exit(f"{name}: {disk_problem(error)}")
    except Exception as error:
        if type(error.__cause__).__name__ != "_RemoteTraceback":
            raise
        # Of a thread of joblib's. Its own lines would stand after it and hide where it happened.
        sys.exit(str(error.__cause__).strip('\n"'))


def _with_file(message: str) -> str:
    """Return a message that names the dataset's file, if one alone has the dataset's name."""
    with suppress(UserError, OSError, LookupError, TypeError):
        name = read_params(["dataset"])["dataset"].name
        files = sorted(Path("conf/dataset").glob("*.yaml"))
        named = [file for file in files if load_yaml(file)["dataset"]["name"] == name]
        if len(named) == 1:
            return message.replace("the conf/dataset file", named[0].as_posix())
    return message


if __name__ == "__main__":
    # The functions are marked in the module that stages import, not in this script.
    from seedbed.stages import run_stage as run

    # At its end, Python looks for cycles among all there is, for up to a second: it goes anyway.
    atexit.register(gc.freeze)
    run(sys.argv[1])
