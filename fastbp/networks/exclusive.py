"""One thread at a time trains a network, and no other sets its parameters meanwhile."""

import os
import threading


class Exclusive:
    """Who trains, if somebody does; the child of a fork has a network that nobody trains."""

    def __init__(self) -> None:
        self.thread = 0
        self._lock, self._process = threading.Lock(), os.getpid()

    def lock(self) -> threading.Lock:
        """Return what to train under, in a `with`; RuntimeError where somebody does.

        A plain lock: Ctrl-C comes neither between taking it and `with`, nor before `with` frees it, as it may before
        the first line of a `finally`. Of two threads that come at the very same time the second waits.
        """
        if self._process != os.getpid():
            self._lock, self._process = threading.Lock(), os.getpid()
        if self._lock.locked():
            raise RuntimeError("this network is being trained already; train a copy instead")
        self.thread = threading.get_ident()
        return self._lock

    def check(self) -> None:
        """Refuse to let parameters be set while another thread trains, which would mix both; callbacks may."""
        if self._lock.locked() and self._process == os.getpid() and self.thread != threading.get_ident():
            raise RuntimeError(
                "another thread is training this network; set parameters before or after, in a callback, or in a copy"
            )
