"""The audit trail of a project, in words: who saw, drew, changed and decided what, and when.

`records` says which lines of the trail someone may read, `sentences` what each verb means, `telling` makes
lines of them, `drawn` writes down that someone drew.
"""
