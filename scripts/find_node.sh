#!/bin/sh
# Prints the folder of the machine's node if it is new enough for Vite and its npm works; else prints nothing and fails.

. "$(dirname -- "$0")/common.sh"

NEW_ENOUGH='
const [major, minor] = process.versions.node.split(".").map(Number);
process.exit(major >= 23 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1);
'
node -e "$NEW_ENOUGH" >/dev/null 2>&1 && npm --version >/dev/null 2>&1 || exit 1
dirname -- "$(command -v node)"
