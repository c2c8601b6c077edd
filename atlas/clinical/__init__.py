"""Facts about subjects: tables and FHIR bundles in, checked row by row; a timeline beside the studies out.

Pure modules: `codes` lists what facts are said with, `dates`, `tables`, `mapping` and `fhir` read what was
sent. With Django: `importing` takes a file in, `reading` is its job, `timeline` what a page shows.
"""
