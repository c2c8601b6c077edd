#!/bin/sh
# make test: everything that needs no test data. Runs all steps and then names those that failed.

. "$(dirname -- "$0")/common.sh"
sh scripts/prepare_python.sh
ATLAS_CHROMIUM=$(sh scripts/find_chromium.sh)
export ATLAS_CHROMIUM
sh scripts/prepare_viewer.sh
. scripts/steps.sh

ATLAS_PREPARED=1
export ATLAS_PREPARED
step "lint and types" sh scripts/check.sh
step "the viewer's types" sh scripts/npm.sh run check --silent
step "the viewer's tests" sh scripts/npm.sh test --silent
step "pytest" sh scripts/run_tests.sh
finish
