"""The node among nodes: what it holds, told to anyone."""
