"""The marks: schemas, cases, reads, the journal of edits, reviews and releases."""
