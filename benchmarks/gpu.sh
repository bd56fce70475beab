#!/bin/sh
# Measure the speed on a graphics card (gpu.py), also where there is no network:
#   sh benchmarks/gpu.sh collect wheels                           # where there is one: for Python 3.12 on 64-bit Linux
#   sh benchmarks/gpu.sh run wheels --minutes 8 --out gpu.json    # on the machine with the card, from a copy of this tree
#   sh benchmarks/gpu.sh run wheels --rehearse                    # every line in small, on a processor
# That machine brings Python, JAX for its card, NumPy and SciPy, and PyTorch if that is to be compared with. Of the rest,
# only what it lacks is installed, into a temporary folder. PYTHON names another interpreter.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}

# What gpu.py imports, and what that imports. Keras alone must be new enough: 3.12 or later.
needed="keras absl-py h5py markdown-it-py mdurl ml-dtypes namex optree packaging pygments rich typing-extensions
  joblib cloudpickle pandas python-dateutil pillow pydantic pydantic-core annotated-types typing-inspection pyyaml"

[ $# -ge 2 ] || { echo "usage: sh benchmarks/gpu.sh collect|run WHEELS [--minutes 8] [--out FILE] [--rehearse]" >&2; exit 2; }
command=$1 wheels=$2
shift 2
case $command in
collect)
  for n in 17 27 28; do platforms="${platforms:-} --platform manylinux_2_${n}_x86_64"; done
  "$python" -m pip download --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
    $platforms --platform manylinux2014_x86_64 --dest "$wheels" $needed
  du -sh "$wheels"
  ;;
run)
  site=$(mktemp -d)
  trap 'rm -rf "$site"' EXIT
  missing=$("$python" - $needed <<'CODE'
import sys
from importlib.metadata import PackageNotFoundError, version
for name in sys.argv[1:]:
    try:
        version(name)
    except PackageNotFoundError:
        print(name)
CODE
  )
  if [ -n "$missing" ]; then
    "$python" -m pip install --quiet --no-index --find-links "$wheels" --no-deps --target "$site" $missing
  fi
  KERAS_BACKEND=jax PYTHONPATH="$here:$site" "$python" "$here/benchmarks/gpu.py" "$@"
  ;;
*)
  echo "expected collect or run, not $command" >&2
  exit 2
  ;;
esac
