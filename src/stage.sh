#!/bin/sh
# Runs one stage with the code of this working directory and the python of the project's environment.
# Under an editable install, DVC's temporary runs would otherwise run the main checkout's code; and
# `.venv/bin/dvc` called without activating the environment would find another python, or none.
set -eu
common=$(git rev-parse --git-common-dir 2>/dev/null || echo .git)
for root in . "${DVC_ROOT:-.}" "$common/.."; do
    if [ -x "$root/.venv/bin/python" ]; then
        python=$root/.venv/bin/python
        break
    fi
done
if [ -z "${python:-}" ] && [ -n "${VIRTUAL_ENV:-}" ]; then
    python=$VIRTUAL_ENV/bin/python
fi
PYTHONPATH=$PWD/src${PYTHONPATH:+:$PYTHONPATH}
# The order of a set must never reach an output.
PYTHONHASHSEED=0
export PYTHONPATH PYTHONHASHSEED
exec "${python:-python3}" -m "seedbed.stages.$1"
