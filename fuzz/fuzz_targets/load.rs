//! Model files of arbitrary bytes: each is what its header says, or an error.
//!
//! The loader is compiled into this program, without the rest of its crate: with the fuzzer's instrumentation the
//! kernels would take a quarter of an hour to compile.

#![no_main]
#![allow(dead_code, reason = "the loader writes files too")]

#[path = "../../rust/core/src/error.rs"]
mod error;
#[path = "../../rust/core/src/memory/limit.rs"]
mod limit;
#[path = "../../rust/core/src/file/tensor/mod.rs"]
mod tensor;

/// Where the loader looks for its neighbour.
mod memory {
    pub(crate) use crate::limit;
}

use std::path::Path;

use libfuzzer_sys::fuzz_target;

use self::error::Error;
use self::tensor::TensorFile;

/// Where a file states its checksum: after its length and `{"__metadata__":{"crc32":"`.
const DIGITS: std::ops::Range<usize> = 34..42;

fuzz_target!(|bytes: &[u8]| {
    let sealed = sealed(bytes.to_vec());
    // A file that is refused with its checksum is refused without it, and not for the checksum.
    if load(&sealed) && sealed != bytes {
        assert!(!load(bytes), "read with a wrong checksum");
    }
    let measured = measured(bytes.to_vec());
    if measured != bytes {
        load(&self::sealed(measured));
    }
});

/// Whether the bytes are a file.
fn load(bytes: &[u8]) -> bool {
    match TensorFile::read(Path::new("fuzz"), bytes, Some(bytes.len() as u64)) {
        Ok(file) => {
            let n_numbers: usize = file.tensors.values().map(|tensor| tensor.numbers.len()).sum();
            assert!(n_numbers <= bytes.len(), "more numbers than the file has room for");
            true
        }
        Err(Error::ModelFile { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

/// With the checksum that belongs to the rest, which no mutation would find.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.len() >= DIGITS.end {
        bytes[DIGITS].fill(b'0');
        let checksum = format!("{:08x}", crc32fast::hash(&bytes));
        bytes[DIGITS].copy_from_slice(checksum.as_bytes());
    }
    bytes
}

/// With a header that ends after the last brace, whatever was put into it or taken from it.
fn measured(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(brace) = bytes.iter().rposition(|&byte| byte == b'}')
        && brace >= 8
    {
        let end = (brace + 1).next_multiple_of(8).min(bytes.len());
        bytes[brace + 1..end].fill(b' ');
        bytes[..8].copy_from_slice(&(end as u64 - 8).to_le_bytes());
    }
    bytes
}
