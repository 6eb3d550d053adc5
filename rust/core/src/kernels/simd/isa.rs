//! The instruction set, detected once per process.

use std::sync::OnceLock;

/// Instruction sets with kernels of their own, in rising order of preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// An instruction set that this CPU has.
///
/// A value is a proof of that: the only constructors look at the CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Isa(Kind);

impl Isa {
    /// The instruction set that the kernels use: the best of [`Isa::available`], or what the
    /// environment variable `FASTMLP_ISA` (`portable`, `avx2`, `avx512`) asks for if the CPU has it.
    pub(crate) fn current() -> Self {
        #[cfg(test)]
        if let Some(isa) = FORCED.get() {
            return isa;
        }
        static CURRENT: OnceLock<Isa> = OnceLock::new();
        *CURRENT.get_or_init(|| {
            let wanted = std::env::var("FASTMLP_ISA").ok();
            let mut available = Self::available();
            let best = available.clone().next_back();
            available
                .find(|isa| wanted.as_deref() == Some(isa.name()))
                .or(best)
                .expect("the portable instruction set is always there")
        })
    }

    /// What this CPU can run, in rising order of preference.
    pub(crate) fn available() -> impl DoubleEndedIterator<Item = Self> + Clone {
        [
            Some(Self(Kind::Portable)),
            #[cfg(target_arch = "x86_64")]
            (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(Kind::Avx2)),
            #[cfg(target_arch = "x86_64")]
            (is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma"))
            .then_some(Self(Kind::Avx512)),
        ]
        .into_iter()
        .flatten()
    }

    /// `portable`, `avx2` or `avx512`.
    pub(crate) fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
        }
    }

    /// Whether a product followed by a sum is rounded once: such sets give the same bits.
    #[cfg(test)]
    pub(crate) fn has_fma(self) -> bool {
        self.0 > Kind::Portable || cfg!(any(target_arch = "aarch64", target_feature = "fma"))
    }

    pub(crate) fn kind(self) -> Kind {
        self.0
    }
}

#[cfg(test)]
thread_local! {
    static FORCED: std::cell::Cell<Option<Isa>> = const { std::cell::Cell::new(None) };
}

/// Runs `body` with `isa` in force on this thread.
#[cfg(test)]
pub(crate) fn with_isa<R>(isa: Isa, body: impl FnOnce() -> R) -> R {
    let before = FORCED.replace(Some(isa));
    let result = body();
    FORCED.set(before);
    result
}
