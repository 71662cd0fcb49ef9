"""What tests of several rooms share: real daemons, a real browser, waiting without sleeping.

Nothing here replaces a part of the product: no mock, no stand-in. A helper that serves one room
only lives beside that room's tests.
"""
