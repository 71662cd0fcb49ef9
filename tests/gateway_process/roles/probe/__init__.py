"""A small role to run: answers each line on its port, and fails in the way a test asks for."""
