#!/bin/sh
# Runs one stage with the code of this working directory and the python of the project's environment.
# Under an editable install, DVC's temporary runs would otherwise run the main checkout's code; and
# `.venv/bin/dvc` called without activating the environment would find another python, or none.
set -eu
client=src/seedbed/experiments/zygote_client.py
# In a sweep, a process with everything imported runs the stage: seedbed/experiments/zygote.py.
if [ -n "${SEEDBED_ZYGOTE:-}" ]; then
    exec "$SEEDBED_PYTHON" -I -S "$client" "$1"
fi
python=${SEEDBED_PYTHON:-}
if [ -z "$python" ]; then
    common=$(git rev-parse --git-common-dir 2>/dev/null || echo .git)
    python=${VIRTUAL_ENV:+$VIRTUAL_ENV/bin/}python3
    for root in . "${DVC_ROOT:-.}" "$common/.."; do
        if [ -x "$root/.venv/bin/python" ]; then
            python=$root/.venv/bin/python
            break
        fi
    done
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
# While the first stage of a `dvc repro` works, a process beside it imports what the later ones stand on and runs them:
# seedbed/experiments/warm.py. Linux only; SEEDBED_COLD=1 switches it off.
if [ -n "${DVC_STAGE:-}" ] && [ -z "${SEEDBED_COLD:-}" ] && [ -r "/proc/$PPID/comm" ]; then
    # Of the shells that DVC has run this, bash and zsh put it in their own place; others stay between.
    dvc=$PPID
    read -r parent <"/proc/$PPID/comm"
    case $parent in
    *sh) while read -r key dvc && [ "$key" != PPid: ]; do :; done <"/proc/$PPID/status" ;;
    esac
    warm=.dvc/tmp/warm.$dvc
    # These would import nearly all of it themselves, and wait; the others do not.
    case $1 in
    explore | train | evaluate) sign=zygote ;;
    *) sign=ready ;;
    esac
    if [ -e "$warm/$sign" ]; then
        export SEEDBED_ZYGOTE="$warm"
        exec "$python" -I -S "$client" "$1"
    fi
    if mkdir -m 700 "$warm" 2>/dev/null; then
        "$python" -m seedbed.experiments.warm "$dvc" "$warm" </dev/null >/dev/null 2>&1 &
    fi
fi
exec "$python" -m "seedbed.stages.$1"
