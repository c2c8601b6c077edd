# Sourced: run steps one after another, all of them, and say at the end which failed.

FAILED=""

step() {
    STEP_NAME=$1
    shift
    printf '\n== %s\n' "$STEP_NAME"
    "$@" || FAILED="$FAILED${FAILED:+, }$STEP_NAME"
}

finish() {
    [ -z "$FAILED" ] || fail "Failed: $FAILED"
}
