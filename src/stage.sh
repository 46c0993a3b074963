#!/bin/sh
# Runs one stage with the code of this working directory and the python of the project's
# environment, also where `.venv/bin/dvc` is called without activating it, and in DVC's temporary
# runs.
set -eu
# In `make repro` and in sweeps, a process that has imported what stages need runs them.
if [ -n "${SEEDBED_ZYGOTE:-}" ]; then exec "$SEEDBED_PYTHON" -I -S "$SEEDBED_CLIENT" "$1"; fi
python=${SEEDBED_PYTHON:-}
for root in . "${DVC_ROOT:-.}" "$(git rev-parse --git-common-dir 2>/dev/null || echo .git)/.."; do
    if [ -z "$python" ] && [ -x "$root/.venv/bin/python" ]; then python=$root/.venv/bin/python; fi
done
if [ -z "$python" ]; then
    python=${VIRTUAL_ENV:+$VIRTUAL_ENV/bin/}python3
    if ! "$python" -c 'import omegaconf, pydantic' 2>/dev/null; then
        echo "$1: there is no .venv, so the stage finds no packages: run \`make setup\`." >&2
        exit 1
    fi
fi
export PYTHONPATH="$PWD/src:$PWD/packages/seedbed/src${PYTHONPATH:+:$PYTHONPATH}"
# The order of a set must never reach an output, nor the number of BLAS threads the last bits of a
# sum; and two processes whose threads wait by spinning take each other's cores.
export PYTHONHASHSEED=0 OMP_WAIT_POLICY=passive OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
exec "$python" -m seedbed.stages "$1"
