"""People across nodes: the hub says who they are (OpenID Connect), and a project's lead may invite them."""
