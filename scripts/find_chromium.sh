#!/bin/sh
# Prints the path of Chromium: $ATLAS_CHROMIUM, the machine's, or Debian's, installed now if we are root.

. "$(dirname -- "$0")/common.sh"

find_it() {
    for name in "${ATLAS_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
        [ -n "$name" ] || continue
        program=$(command -v "$name" 2>/dev/null) || continue
        if "$program" --version >/dev/null 2>&1; then
            printf '%s\n' "$program"
            exit 0
        fi
    done
}

find_it
if install_debian chromium; then find_it; fi
fail "The tests drive a real browser, and this machine has no Chromium that works.
Install it (Debian: apt install chromium; macOS: brew install --cask google-chrome), or name one:
ATLAS_CHROMIUM=/path/to/chromium make test"
