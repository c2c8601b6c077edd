"""How nodes talk: keys, signed messages that outlive any crash, the hub's roads and a node's agent."""
