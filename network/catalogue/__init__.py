"""The catalogue that anyone may read: searched, counted over, drawn. Everything in it is of published
versions, so every number has passed `network.disclosure`; nothing is counted here but datasets.
"""
