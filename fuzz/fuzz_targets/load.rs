//! Model files of any bytes: each is a network, or an error.

#![no_main]

use std::path::Path;

use fastmlp_core::{Error, NetworkFile, Result, TensorFile};
use libfuzzer_sys::fuzz_target;

/// Where a file tells its checksum: after its length and `{"__metadata__":{"crc32":"`.
const DIGITS: std::ops::Range<usize> = 34..42;

fuzz_target!(|bytes: &[u8]| {
    let is_sound = load(bytes);
    let sealed = sealed(bytes.to_vec());
    assert!(!is_sound || sealed == bytes, "read with a wrong checksum");
    load(&sealed);
    load(&self::sealed(measured(bytes.to_vec())));
});

/// Whether the bytes are a network.
fn load(bytes: &[u8]) -> bool {
    match read(bytes) {
        Ok(_) => true,
        Err(Error::ModelFile { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

fn read(bytes: &[u8]) -> Result<NetworkFile> {
    let file = TensorFile::read(Path::new("fuzz"), bytes, bytes.len() as u64)?;
    let n_bytes: usize = file.tensors.values().map(|tensor| 4 * tensor.numbers.len()).sum();
    assert!(n_bytes <= bytes.len(), "more numbers than the file has room for");
    let path = || "fuzz".to_owned();
    NetworkFile::from_tensors(file).map_err(|reason| Error::ModelFile { path: path(), reason })
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
