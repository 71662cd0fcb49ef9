"""A web application with push beside it, as small as it can honestly be.

It lies in the wheel so that `gateway dev` has something to show, and it is written to be read: the
way an application of yours integrates is the way this one does. It knows the client library alone,
nothing of the gateway it happens to be shipped with.
"""
