//! The size of a JSON text's content, found before it is parsed: the parsed form can take a hundred times the text's
//! memory.

/// Most values, keys and lists in a text.
pub(crate) const MAX_PARTS: usize = 1 << 16;

/// What exceeds the limits in a text, if something does: lists and objects nested deeper than `max_depth`, or more
/// parts than [`MAX_PARTS`]. A text that is not JSON may pass.
pub(crate) fn excess(text: &[u8], max_depth: usize) -> Option<String> {
    let (mut depth, mut parts) = (0_usize, 0_usize);
    let (mut is_string, mut is_escaped) = (false, false);
    for &byte in text {
        if is_string {
            is_string = is_escaped || byte != b'"';
            is_escaped = !is_escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => is_string = true,
            b'{' | b'[' => (depth, parts) = (depth + 1, parts + 1),
            b'}' | b']' => depth = depth.saturating_sub(1),
            // One between two values, and one between a key and its value.
            b',' | b':' => parts += 1,
            _ => {}
        }
        if depth > max_depth {
            return Some(format!("lists and objects are more than {max_depth} deep"));
        }
        if parts > MAX_PARTS {
            return Some(format!("it has more than {MAX_PARTS} parts"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_and_parts_are_counted_outside_of_strings() {
        let deep = |text: &str| excess(text.as_bytes(), 2);
        assert_eq!(deep(r#"{"a":[1,2],"b":[[]"#).unwrap(), "lists and objects are more than 2 deep");
        for text in [r#"{"a":[1,2],"b":{}}"#, r#"{"[[[":"{{{","\"[[[":"\\"}"#, "]]]]{[", ""] {
            assert_eq!(deep(text), None, "{text}");
        }
        assert_eq!(deep(r#"{"\\":[[1]]}"#).unwrap(), "lists and objects are more than 2 deep");
        let many = |n: usize| excess(format!("[{}]", ",".repeat(n)).as_bytes(), 1);
        assert_eq!(many(MAX_PARTS - 1), None);
        assert_eq!(many(MAX_PARTS).unwrap(), "it has more than 65536 parts");
    }
}
