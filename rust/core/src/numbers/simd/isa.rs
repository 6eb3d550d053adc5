//! The instruction set, detected once per process.

use std::sync::OnceLock;

use crate::error::{Error, Result};

/// Names an instruction set in the environment.
const VARIABLE: &str = "FASTMLP_ISA";

/// Instruction sets that kernels are compiled for, in rising order of preference.
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
    /// The instruction set that the kernels use: what the environment asks for, or the best.
    pub(crate) fn current() -> Self {
        #[cfg(test)]
        if let Some(isa) = FORCED.get() {
            return isa;
        }
        static CURRENT: OnceLock<Isa> = OnceLock::new();
        *CURRENT.get_or_init(|| Self::from_environment().unwrap_or_else(|_| Self::best()))
    }

    /// What the environment variable `FASTMLP_ISA` names, or the best if it is not set or empty.
    fn from_environment() -> Result<Self> {
        match std::env::var_os(VARIABLE).filter(|name| !name.is_empty()) {
            Some(name) => Self::from_name(&name.to_string_lossy()),
            None => Ok(Self::best()),
        }
    }

    fn from_name(name: &str) -> Result<Self> {
        Self::available().find(|isa| name == isa.name()).ok_or_else(|| {
            let names: Vec<_> = Self::available().map(|isa| format!("{:?}", isa.name())).collect();
            let expected = format!("what this CPU has: {}", names.join(", "));
            Error::value(VARIABLE, format_args!("{name:?}"), expected)
        })
    }

    fn best() -> Self {
        Self::available().next_back().expect("the portable instruction set is always there")
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

/// Fails if the environment asks for an instruction set that this CPU does not have; the kernels then use the best
/// that it has.
pub fn check_environment() -> Result<()> {
    Isa::from_environment().map(drop)
}

#[cfg(test)]
thread_local! {
    static FORCED: std::cell::Cell<Option<Isa>> = const { std::cell::Cell::new(None) };
}

#[test]
fn what_this_cpu_lacks_is_refused_by_name() {
    for isa in Isa::available() {
        assert_eq!(Isa::from_name(isa.name()).unwrap(), isa);
    }
    let error = Isa::from_name("avx9").unwrap_err().to_string();
    assert!(
        error.starts_with("FASTMLP_ISA is \"avx9\", expected what this CPU has: \"portable\""),
        "{error}"
    );
}

/// Runs `body` with `isa` in force on this thread.
#[cfg(test)]
pub(crate) fn with_isa<R>(isa: Isa, body: impl FnOnce() -> R) -> R {
    let before = FORCED.replace(Some(isa));
    let result = body();
    FORCED.set(before);
    result
}
