//! A network that several threads may call, and who may use it when.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, TryLockError};

use fastmlp_core::{Init, Interrupt, Layout, Loss, Mlp, Network, Never, is_brief};
use pyo3::prelude::*;

use crate::array::check_apart;
use crate::data::DataArrays;
use crate::detached::watched;
use crate::error::{BindError, BindResult};
use crate::loss_function::LossFunction;
use crate::optimizer::Stateful;

/// A network that several threads may call.
pub(super) struct NetworkCell<T: Stateful> {
    pub(super) mlp: RwLock<Mlp<T>>,
    training: AtomicBool,
    /// Calls that may call a loss of the caller's own.
    evaluating: AtomicUsize,
    pub(super) network: Network,
    /// Multiplications and additions of a row on its way forward.
    flops: usize,
    /// The fixed address of the parameters: a pointer that threads may share, readable without the
    /// lock.
    parameters: AtomicPtr<T>,
}

const TRAINING: BindError =
    BindError::Busy("the network is being trained by another call: wait for it to return");
const EVALUATING: BindError =
    BindError::Busy("the network's loss function is at work in another call: wait for it to return");

impl<T: Stateful> NetworkCell<T> {
    /// A network; without an initialiser all parameters are 0.
    pub(super) fn new(
        network: Network,
        init: Option<Init>,
        seed: u64,
        loss_function: Option<&Arc<LossFunction>>,
    ) -> BindResult<Self> {
        let mlp = match init {
            Some(init) => Mlp::<T>::new(network, init, seed)?,
            None => Mlp::<T>::zeros(network, seed)?,
        };
        Ok(Self::of(mlp, loss_function))
    }

    /// The cell of a network, which gets this function for its loss, if that is one.
    pub(super) fn of(mlp: Mlp<T>, loss_function: Option<&Arc<LossFunction>>) -> Self {
        let mlp = match loss_function {
            Some(function) => mlp.with_loss_function(Arc::<LossFunction>::clone(function)),
            None => mlp,
        };
        let network = mlp.network().clone();
        let parameters = AtomicPtr::new(mlp.parameters_ptr());
        let (training, evaluating) = (AtomicBool::new(false), AtomicUsize::new(0));
        let flops = mlp.flops();
        Self { mlp: RwLock::new(mlp), training, evaluating, network, flops, parameters }
    }

    /// Reads the network, detached from the interpreter; fails while it is trained.
    pub(super) fn read<R: Send>(
        &self,
        py: Python<'_>,
        f: impl FnOnce(&Mlp<T>, &dyn Interrupt) -> fastmlp_core::Result<R> + Send,
    ) -> BindResult<R> {
        watched(py, |interrupt| Ok(f(&*self.mlp()?, interrupt)?))
    }

    /// As [`read`](Self::read), for a pass without a gradient over `n` rows: attached, if detaching
    /// would take longer than the pass.
    pub(super) fn infer<R: Send>(
        &self,
        py: Python<'_>,
        n: usize,
        f: impl FnOnce(&Mlp<T>, &dyn Interrupt) -> fastmlp_core::Result<R> + Send,
    ) -> BindResult<R> {
        if self.is_brief(n) { Ok(f(&*self.mlp()?, &Never)?) } else { self.read(py, f) }
    }

    /// Whether a pass without a gradient over `n` rows ends before signals would be checked.
    pub(super) fn is_brief(&self, n: usize) -> bool {
        is_brief(n.saturating_mul(self.flops))
    }

    /// The right to train, which one call has at a time.
    pub(super) fn claim(&self) -> BindResult<Claim<'_>> {
        if self.training.swap(true, Ordering::SeqCst) {
            return Err(TRAINING);
        }
        let claim = Claim(&self.training);
        if self.evaluating.load(Ordering::SeqCst) > 0 {
            return Err(EVALUATING);
        }
        Ok(claim)
    }

    /// Held while a call may call a loss of the caller's own: if that trained the network, it would wait for itself.
    pub(super) fn evaluation(&self) -> Option<Evaluation<'_>> {
        (*self.network.loss() == Loss::Function).then(|| {
            self.evaluating.fetch_add(1, Ordering::SeqCst);
            Evaluation(&self.evaluating)
        })
    }

    /// The network, unless it is being trained. Never waits: waiting while attached would keep the
    /// training from attaching.
    pub(super) fn mlp(&self) -> BindResult<RwLockReadGuard<'_, Mlp<T>>> {
        match self.mlp.try_read() {
            Ok(mlp) => Ok(mlp),
            // A call that panicked left the parameters of a whole step.
            Err(TryLockError::Poisoned(mlp)) => Ok(mlp.into_inner()),
            Err(TryLockError::WouldBlock) => Err(TRAINING),
        }
    }

    /// Detached from the interpreter, changes the network while no call reads or trains it; between the epochs of a
    /// training too, so that its callback may.
    pub(super) fn change<R: Send>(
        &self,
        py: Python<'_>,
        f: impl FnOnce(&mut Mlp<T>) -> BindResult<R> + Send,
    ) -> BindResult<R> {
        py.detach(|| match self.mlp.try_write() {
            Ok(mut mlp) => f(&mut mlp),
            Err(TryLockError::Poisoned(mlp)) => f(&mut mlp.into_inner()),
            Err(TryLockError::WouldBlock) => {
                let _claim = self.claim()?;
                f(&mut self.mlp.write().unwrap_or_else(PoisonError::into_inner))
            }
        })
    }

    /// The addresses of the parameters.
    pub(super) fn parameters_span(&self) -> Range<usize> {
        let start = self.parameters_ptr() as usize;
        start..start + self.layout().n_parameters() * size_of::<T>()
    }

    /// Where the parameters lie.
    pub(super) fn parameters_ptr(&self) -> *mut T {
        self.parameters.load(Ordering::Relaxed)
    }

    /// How the parameters lie.
    pub(super) fn layout(&self) -> &Layout {
        self.network.layout()
    }

    /// Fails if an input shares memory that training writes to.
    pub(super) fn check_inputs_apart(&self, arrays: &DataArrays<'_, '_, T>) -> BindResult<()> {
        let parameters = self.parameters_span();
        let check = |(name, span)| check_apart(name, &span, &parameters, "the network's parameters");
        arrays.spans().into_iter().try_for_each(check)
    }
}

/// The right to train.
pub(super) struct Claim<'a>(&'a AtomicBool);

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// A call that may call a loss of the caller's own.
pub(super) struct Evaluation<'a>(&'a AtomicUsize);

impl Drop for Evaluation<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
