"""Generated examples are judged by what they give, not by the clock: machines may be busy."""

from hypothesis import settings

settings.register_profile("brand", deadline=None)
settings.load_profile("brand")
