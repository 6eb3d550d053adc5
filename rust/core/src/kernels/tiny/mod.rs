//! Loss and gradient of a net with few inputs, one hidden layer and few classes, in two sweeps.
//!
//! Shapes: X `(inputs, n)`, feature-major; W1 `(inputs, hidden)`, b1 `(hidden)`, W2 `(hidden, classes)`,
//! b2 `(classes)`, one after the other in the flat parameters and likewise in the gradient.
//!
//! The forward sweep has rows in lanes: logits of a few vectors of rows stay in registers during the loop over
//! hidden units, up to the gradient of the loss with respect to them. The backward sweep has hidden units in lanes:
//! all gradients of a vector of units stay in registers during the loop over rows. Hidden values are computed again
//! in the backward sweep, which costs less than keeping them. For tanh and the logistic function it would cost more,
//! so networks with these go layer by layer.
//!
//! A softmax does not change when the same number is added to all logits, and its gradient sums to 0 over classes.
//! Both sweeps therefore have one class less: the logit of the last class is subtracted from the others, and its
//! gradient is minus the sum of theirs.
//!
//! Sums over rows have one order, whatever the instruction set: even rows, odd rows, then both; or lane by lane for
//! the last units, if they have rows in lanes.

mod net;
mod forward;
mod backward;
mod gradient;
mod row;
mod inference;

pub(crate) use net::{Batch, TinyNet};
