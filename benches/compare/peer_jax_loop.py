"""jax with all the steps of many epochs in one compiled call."""

from functools import partial

import jax

from benches.compare import peer_jax


class Trainer(peer_jax.Trainer):
    """One network in training."""

    name = "jax, one compiled loop"

    def compile(self, step):
        """Compile epochs of steps; their number is not part of the program."""

        def one(state, batch):
            return step(state, *batch), None

        @partial(jax.jit, donate_argnums=0)
        def epochs_of(state, epochs, batches):
            return jax.lax.fori_loop(
                0, epochs, lambda _, state: jax.lax.scan(one, state, batches)[0], state
            )

        self.epochs_of = epochs_of

    def train(self, epochs):
        """Train for this many passes over the rows, in their order."""
        self.state = jax.block_until_ready(self.epochs_of(self.state, epochs, self.batches))
