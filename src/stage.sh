#!/bin/sh
# Runs one stage with the code of this working directory and the python of the project's environment.
# Under an editable install, DVC's temporary runs would otherwise run the main checkout's code; and
# `.venv/bin/dvc` called without activating the environment would find another python, or none.
set -eu
# In a sweep, a process with everything imported runs the stage: seedbed/experiments/zygote.py.
if [ -n "${SEEDBED_ZYGOTE:-}" ]; then
    exec "$SEEDBED_PYTHON" -I -S src/seedbed/experiments/zygote_client.py "$1"
fi
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
# Two processes whose threads wait by spinning take each other's cores: 5 minutes for what takes 15 seconds.
OMP_WAIT_POLICY=passive
# BLAS splits sums by the number of its threads, and the last bits of a figure would depend on the machine.
OPENBLAS_NUM_THREADS=1
MKL_NUM_THREADS=1
export PYTHONPATH PYTHONHASHSEED OMP_WAIT_POLICY OPENBLAS_NUM_THREADS MKL_NUM_THREADS
exec "${python:-python3}" -m "seedbed.stages.$1"
