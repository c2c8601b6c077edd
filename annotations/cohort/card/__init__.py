"""The data card of a release: what its cases are like, how they were labelled, and what it can't be used for.

`digest` says what counts of a case, when it is written; `gathering` adds the cases up; `figures` makes bars
of that, `content` sections of sentences, tables and figures, `markdown` and `page` a file each.
"""
