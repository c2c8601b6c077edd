# Two commands on a fresh machine with python3, make and a package index: `make demo`, `make test`.
# Everything private goes to .tools/, .venv/, static/viewer/node_modules and .atlas/. The work is in scripts/.

.DEFAULT_GOAL := help
.PHONY: help demo demo-federation prepare viewer test check judges bench pictures clean

help:  ## what can be made
	@sed -n 's/^\([a-z-]*\):  *## */  make \1	/p' Makefile

demo:  ## start a node with demo accounts and cases on http://127.0.0.1:8000 (ATLAS_PORT, ATLAS_HOME)
	@sh scripts/demo.sh

demo-federation:  ## start a hub and two nodes that joined it, on three ports from ATLAS_PORT on
	@sh scripts/demo_federation.sh

test:  ## lint, types, the viewer's tests, and all tests with a real browser
	@sh scripts/test.sh

check:  ## only the quick part of `make test`: lint, imports, types
	@sh scripts/check.sh

judges:  ## ask independent tools about what Atlas writes (needs test data: ATLAS_TEST_DATA)
	@sh scripts/judges.sh

bench:  ## measure the same work on Atlas and on other servers; ONLY=stow,frames, FULL=1
	@sh scripts/bench.sh

pictures:  ## take pictures of every page of the demo, into .atlas-pictures/; DOCS=1 those of docs/pictures/
	@sh scripts/pictures.sh

viewer:  ## build the viewer into static/dist, if its sources changed
	@sh scripts/prepare_viewer.sh

prepare:  ## install everything that demo and test need, and no more
	@sh scripts/prepare_python.sh && sh scripts/prepare_viewer.sh

clean:  ## remove what was built and installed here; data in .atlas/ stays
	rm -rf .venv .tools static/dist static/viewer/node_modules .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .hypothesis .atlas-pictures
