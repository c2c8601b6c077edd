"""The same work on Atlas and on a peer, in one run, as ratios: `make bench` (benchmarks/README.md)."""
