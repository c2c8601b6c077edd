#!/bin/sh
# All tests by pytest but the judges'. Files of browser tests that fail run once more, on nodes of their own and with
# nothing beside them: a browser on a busy machine may miss a moment. What fails twice, or elsewhere, has failed; what
# failed once is named at the end, so that somebody looks.

. "$(dirname -- "$0")/common.sh"
LAST="$ROOT/.pytest_cache/v/cache/lastfailed"
rm -f "$LAST"
# Each test process has its own copy of the database. A file's tests run in one process, and the browser's tests
# in two groups: on the demo, and on a node that is emptied between files.
"$PYTHON" -m pytest -q -n 2 --dist loadgroup -m "not judge" --ignore=tests/judges && exit 0

FILES=$("$PYTHON" - "$LAST" <<'EOF'
import json, sys
from pathlib import Path

path = Path(sys.argv[1])
failed = {name.partition("::")[0] for name in json.loads(path.read_text())} if path.exists() else set()
if failed and all(name.startswith("tests/e2e/") for name in failed):
    print(" ".join(sorted(failed)))
EOF
)
[ -n "$FILES" ] || exit 1
printf '\n== once more: %s\n' "$FILES"
# shellcheck disable=SC2086  # several names
"$PYTHON" -m pytest -q $FILES || exit 1
printf '\nFailed once and passed then: %s\n' "$FILES"
