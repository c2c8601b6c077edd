#!/bin/sh
# make bench: the same work on Atlas and on its peers. ONLY=stow,frames measures some lines, FULL=1 the whole atlas.

. "$(dirname -- "$0")/common.sh"
sh scripts/prepare_python.sh
UV_PYTHON=$(sh scripts/find_python.sh)
export UV_PYTHON
"$(sh scripts/find_uv.sh)" sync --frozen --quiet --inexact --group bench

for program in Orthanc:orthanc nginx:nginx storescu:dcmtk wrk:wrk; do
    command -v "${program%%:*}" >/dev/null 2>&1 || missing="${missing:-} ${program##*:}"
done
if [ -n "${missing:-}" ]; then
    # shellcheck disable=SC2086  # several names
    install_debian $missing orthanc-dicomweb || fail "make bench measures against other programs.
Install them: apt install orthanc orthanc-dicomweb nginx dcmtk wrk"
fi
exec "$PYTHON" -m benchmarks ${ONLY:+--only "$ONLY"} ${FULL:+--full}
