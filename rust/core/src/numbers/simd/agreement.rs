//! Results of several instruction sets, which must have the same bits where the sets fuse.

use super::Isa;

/// Names an instruction set that must have been compared with another, in the environment.
const VARIABLE: &str = "FASTMLP_REQUIRE_ISA";

/// Asserts that the instruction sets that fuse gave the same bits; the bits of NaNs may differ.
///
/// On a CPU with one such set there is nothing to compare. Where the environment variable `FASTMLP_REQUIRE_ISA` names
/// an instruction set, it is an error if that set was not compared with another.
pub(crate) fn assert_fusing_agree<T: Copy + Into<f64>>(results: &[(Isa, Vec<T>)], context: &str) {
    let fusing = results.iter().filter(|(isa, _)| isa.has_fma());
    let named: Vec<_> = fusing.map(|(isa, numbers)| (isa.name(), &numbers[..])).collect();
    assert_agree(&named, std::env::var(VARIABLE).ok().as_deref(), context);
}

fn assert_agree<T: Copy + Into<f64>>(results: &[(&str, &[T])], required: Option<&str>, context: &str) {
    let bits = |x: &T| -> u64 {
        let x: f64 = (*x).into();
        if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() }
    };
    for pair in results.windows(2) {
        let [(one, a), (other, b)] = [pair[0], pair[1]];
        assert!(a.iter().map(bits).eq(b.iter().map(bits)), "{context}: {one} and {other} differ");
    }
    if let Some(required) = required.filter(|name| !name.is_empty()) {
        let compared: Vec<_> = results.iter().map(|&(name, _)| name).collect();
        assert!(
            compared.len() > 1 && compared.contains(&required),
            "{context}: {VARIABLE} is {required:?}, but only {compared:?} can be compared"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(results: &[(&str, &[f32])], required: Option<&str>) -> String {
        let panic = std::panic::catch_unwind(|| assert_agree(results, required, "sums")).unwrap_err();
        *panic.downcast::<String>().expect("a message")
    }

    #[test]
    fn other_bits_are_found() {
        assert_agree(&[("a", &[1.0, f32::NAN]), ("b", &[1.0, -f32::NAN])], None, "sums");
        assert_eq!(message(&[("a", &[1.0, 0.0]), ("b", &[1.0, -0.0])], None), "sums: a and b differ");
        assert_eq!(message(&[("a", &[1.0, 2.0]), ("b", &[1.0])], None), "sums: a and b differ");
        let last = [1.0_f32.next_up()];
        assert_eq!(message(&[("a", &[1.0]), ("b", &[1.0]), ("c", &last)], None), "sums: b and c differ");
    }

    #[test]
    fn what_is_required_must_have_been_compared() {
        let (a, b): ((_, &[f32]), (_, &[f32])) = (("a", &[1.0]), ("b", &[1.0]));
        for required in [None, Some("")] {
            assert_agree(&[a], required, "sums");
        }
        for required in ["a", "b"] {
            assert_agree(&[a, b], Some(required), "sums");
        }
        for (results, required, compared) in
            [(&[][..], "a", "[]"), (&[a][..], "a", r#"["a"]"#), (&[a, b][..], "c", r#"["a", "b"]"#)]
        {
            let expected =
                format!("sums: FASTMLP_REQUIRE_ISA is {required:?}, but only {compared} can be compared");
            assert_eq!(message(results, Some(required)), expected);
        }
    }
}
