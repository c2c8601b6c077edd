"""Access to datasets: what researchers ask for, what committees answer, and what comes of it.

A request holds a part for each organisation; its committee decides that part alone. A grant opens one dataset
to one person, in one mode, until a date: every road to images asks for it, so it ends by time alone. Letters
and words on pages follow; nothing depends on them.
"""
