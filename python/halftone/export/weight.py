"""A weight that is made only when it is written, so that a model of any size passes through memory one weight at a time."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import math
from dataclasses import dataclass
from typing import Callable, Optional

import numpy as np


@dataclass(frozen=True)
class Weight:
    """`make()` gives the array, of `shape`. A hollow one has none: all is zero but its first element, which tells it from others, and
    in a file of its own it takes no room."""

    shape: tuple
    make: Optional[Callable[[], np.ndarray]] = None
    first: float = 0.0

    @property
    def size(self):
        return math.prod(self.shape)

    @property
    def T(self):
        """The transposed weight."""
        return Weight(self.shape[::-1], self.make and (lambda: self.make().T), self.first)

    @staticmethod
    def of(array):
        """The weight that is `array`, a view of a mapped file."""
        return Weight(array.shape, lambda: array)

    @staticmethod
    def random(shape, seed, mean=0.0, deviation=1.0):
        """Normal values, the same for the same `seed` (anything that numpy's SeedSequence takes) and shape."""

        def make():
            values = np.random.default_rng(seed).standard_normal(shape, np.float32)
            values *= np.float32(deviation)
            values += np.float32(mean)
            return values

        return Weight(tuple(shape), make)
