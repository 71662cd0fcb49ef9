"""The process that runs an application's `Events`: what browsers do, as calls of the application.

It dials every gateway, takes the events of the clients it is given and runs the application's
handlers: those of one client one after another, different clients side by side.
"""
