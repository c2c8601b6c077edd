"""Adjudication: one person settles, lesion by lesion, what the readers of a case disagree about.

`deciding` says whether a case needs it, `assigning` who does it, `rows` what they find, `results` what each
choice would make, `settling` what was chosen. The adjudication is a read of its own: what is chosen is
written into its journal, and the readers' journals are never touched.
"""
