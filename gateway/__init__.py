"""The gateway: holds the browsers' connections with their uids, groups and sessions."""
