"""The name people install.

What an application needs is re-exported here from `gateway_client`, so that the name on PyPI and
the name in the first line of code are one. Nothing else lives here.
"""
