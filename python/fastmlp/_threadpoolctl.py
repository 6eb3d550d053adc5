"""Apply threadpoolctl's limits to fastmlp's threads too."""

from typing import Any

from threadpoolctl import LibController, register


class FastmlpController(LibController):  # type: ignore[misc]
    """The interface by which threadpoolctl reads and sets how many threads a library may use."""

    user_api = "fastmlp"
    internal_api = "fastmlp"
    filename_prefixes = ("_core",)
    check_symbols = ("fastmlp_get_num_threads", "fastmlp_set_num_threads")

    dynlib: Any

    def get_num_threads(self) -> int:
        """Return the number of threads that ``n_jobs=-1`` stands for."""
        return int(self.dynlib.fastmlp_get_num_threads())

    def set_num_threads(self, num_threads: int) -> None:
        """Limit the threads of future calls, whatever their ``n_jobs``."""
        self.dynlib.fastmlp_set_num_threads(num_threads)

    def get_version(self) -> str:
        """Return the version of the package."""
        from fastmlp import __version__

        return __version__


register(FastmlpController)
