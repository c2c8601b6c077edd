#!/bin/sh
# make check: lint, format, the rules of imports, types. Runs all of them and then names those that failed.

. "$(dirname -- "$0")/common.sh"
[ -n "${ATLAS_PREPARED:-}" ] || sh scripts/prepare_python.sh
. scripts/steps.sh

step "ruff" "$PYTHON" -m ruff check .
step "ruff format" "$PYTHON" -m ruff format --check .
step "import-linter" "$PYTHON" -c 'import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())'
step "mypy" "$PYTHON" -m mypy accounts atlas annotations network client/atlas_client
finish
