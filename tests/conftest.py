"""What holds for all tests."""

from hypothesis import settings

# A busy machine is slow at times, and that is no finding: no test here is about time.
settings.register_profile("ours", deadline=None)
settings.load_profile("ours")
