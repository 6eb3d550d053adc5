"""Many fits of one call, one per core at a time."""

from fastmlp._extras import require

require("sklearn", "fastmlp.many")

from fastmlp.many.fit import FitDone, FitManyInterrupt, fit_many  # noqa: E402

__all__ = ["FitDone", "FitManyInterrupt", "fit_many"]
