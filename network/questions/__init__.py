"""Questions in the cohort language that cross nodes: asked here, answered by each node for its datasets.

`asking` puts a question, `holding` keeps it at the node that answers and asks its people, `answering` takes
an answer in after `checking` it, `result` tells what is known so far. This node is asked like any other: its
question is held here, too, and its answer passes the same checks.
"""
