"""Pages about accounts: doors, one's own account, invitations, the members of something."""
