//! The header of a tensor file: from names, types and shapes to bytes, and back with every check.
//!
//! Each content has exactly one header: a file with any other header is refused, byte for byte. This settles everything
//! that JSON leaves open (spaces, the order of keys, duplicate keys) and that offsets could say (gaps, overlaps).

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Map, Value};

use super::json;
use crate::error::Shape;

/// The layout of the rest of the file. The number grows when an older release could not read the file, or would
/// misread it; a release reads all numbers up to its own, and writes the smallest that suffices.
const FORMAT: &str = "fastmlp-1";
/// Tensors may be integers.
const FORMAT_WITH_INTEGERS: &str = "fastmlp-2";
/// Longest header, in bytes.
pub(super) const MAX_HEADER: usize = 1 << 20;
/// The depth of a shape: the header has entries, which have lists.
const MAX_DEPTH: usize = 3;
const MAX_TENSORS: usize = 4096;
const MAX_RANK: usize = 2;
const MAX_EXTENT: usize = u32::MAX as usize;
/// The length of a header is a multiple of this, so that numbers start aligned.
const ALIGNMENT: usize = 8;

const METADATA: &str = "__metadata__";
const FORMAT_KEY: &str = "format";
const CHECKSUM_KEY: &str = "crc32";

/// The types of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dtype {
    F32,
    F64,
    I64,
    U8,
}

impl Dtype {
    const ALL: [Self; 4] = [Self::F32, Self::F64, Self::I64, Self::U8];

    fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F64 => "F64",
            Self::I64 => "I64",
            Self::U8 => "U8",
        }
    }

    /// Bytes of a number.
    fn width(self) -> u64 {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 => 4,
            Self::U8 => 1,
        }
    }

    fn is_integer(self) -> bool {
        matches!(self, Self::I64 | Self::U8)
    }
}

/// A tensor without its numbers.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
}

impl Entry {
    fn parse(name: String, entry: &Value) -> Result<Self, String> {
        let dtype = Dtype::ALL.into_iter().find(|dtype| entry["dtype"] == dtype.name());
        let Some(dtype) = dtype else {
            return Err(format!("tensor {name:?} is {}, expected F32, F64, I64 or U8", entry["dtype"]));
        };
        let extents = entry["shape"].as_array().map(|shape| shape.iter().map(as_extent));
        let shape = extents
            .and_then(Iterator::collect::<Option<Vec<_>>>)
            .ok_or_else(|| format!("tensor {name:?} has no shape"))?;
        let entry = Self { name, dtype, shape };
        entry.fault().map_or(Ok(entry), Err)
    }

    /// The reason why the entry is not valid, if there is one.
    fn fault(&self) -> Option<String> {
        let Self { name, shape, .. } = self;
        if name == METADATA {
            return Some(format!("a tensor has the name of the text, {METADATA:?}"));
        }
        if shape.len() > MAX_RANK {
            let rank = shape.len();
            return Some(format!("tensor {name:?} has {rank} dimensions, expected at most {MAX_RANK}"));
        }
        if shape.iter().any(|&extent| extent > MAX_EXTENT) {
            let shape = Shape(shape);
            return Some(format!("tensor {name:?} has shape {shape}, expected extents <= {MAX_EXTENT}"));
        }
        None
    }

    /// Bytes of its numbers, unless the count overflows.
    fn n_bytes(&self) -> Option<u64> {
        self.shape.iter().try_fold(self.dtype.width(), |n, &extent| n.checked_mul(extent as u64))
    }
}

fn as_extent(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|extent| usize::try_from(extent).ok())
}

/// Everything that a file says about its tensors.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) metadata: BTreeMap<String, String>,
    /// In the order of their numbers.
    entries: Vec<Entry>,
    /// Total bytes of all numbers.
    n_bytes: u64,
}

impl Header {
    /// The header of a file with these tensors.
    pub(super) fn new(metadata: BTreeMap<String, String>, mut entries: Vec<Entry>) -> Result<Self, String> {
        if entries.len() > MAX_TENSORS {
            return Err(format!("it has {} tensors, expected at most {MAX_TENSORS}", entries.len()));
        }
        if let Some(fault) = entries.iter().find_map(Entry::fault) {
            return Err(fault);
        }
        if let Some(key) = [FORMAT_KEY, CHECKSUM_KEY].into_iter().find(|&key| metadata.contains_key(key)) {
            return Err(format!("the text has the key {key:?}, which is the file's own"));
        }
        // Widest numbers first, so that every tensor starts aligned.
        entries.sort_by(|a, b| (Reverse(a.dtype.width()), &a.name).cmp(&(Reverse(b.dtype.width()), &b.name)));
        let n_bytes = entries.iter().try_fold(0_u64, |n, entry| n.checked_add(entry.n_bytes()?));
        let n_bytes = n_bytes.ok_or("it has more numbers than a file can hold")?;
        let header = Self { metadata, entries, n_bytes };
        let bytes = header.bytes(0);
        if bytes.len() > MAX_HEADER {
            return Err(format!("its header has {} bytes, expected at most {MAX_HEADER}", bytes.len()));
        }
        json::excess(&bytes, MAX_DEPTH).map_or(Ok(header), |excess| Err(format!("its header: {excess}")))
    }

    /// The header in these bytes, with the checksum that it states.
    pub(super) fn parse(bytes: &[u8]) -> Result<(Self, u32), String> {
        if let Some(excess) = json::excess(bytes, MAX_DEPTH) {
            return Err(format!("its header: {excess}"));
        }
        let mut entries: Map<String, Value> = serde_json::from_slice(bytes)
            .map_err(|error| format!("its header is no JSON object: {error}"))?;
        let metadata = entries.remove(METADATA).unwrap_or(Value::Object(Map::new()));
        let mut metadata: BTreeMap<String, String> = serde_json::from_value(metadata)
            .map_err(|error| format!("its {METADATA} is not text: {error}"))?;
        let format = metadata.remove(FORMAT_KEY);
        if !matches!(format.as_deref(), Some(FORMAT | FORMAT_WITH_INTEGERS)) {
            let found = format.map_or("not named".into(), |format| format!("{format:?}"));
            return Err(format!("its format is {found}, expected {FORMAT:?} or {FORMAT_WITH_INTEGERS:?}"));
        }
        let checksum = metadata.remove(CHECKSUM_KEY).and_then(|digits| u32::from_str_radix(&digits, 16).ok());
        let checksum = checksum.ok_or("it has no checksum")?;
        let entries = entries.into_iter().map(|(name, entry)| Entry::parse(name, &entry));
        let header = Self::new(metadata, entries.collect::<Result<_, _>>()?)?;
        if header.bytes(checksum) != bytes {
            return Err("its header is not the one that belongs to its tensors".into());
        }
        Ok((header, checksum))
    }

    /// The tensors in the order of their numbers.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Total bytes of all numbers.
    pub(super) fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// The header as it stands in a file with this checksum.
    pub(super) fn bytes(&self, checksum: u32) -> Vec<u8> {
        let has_integers = self.entries.iter().any(|entry| entry.dtype.is_integer());
        let format = if has_integers { FORMAT_WITH_INTEGERS } else { FORMAT };
        let mut text =
            format!(r#"{{"{METADATA}":{{"{CHECKSUM_KEY}":"{checksum:08x}","{FORMAT_KEY}":"{format}""#);
        for (key, value) in &self.metadata {
            write!(text, ",{}:{}", quoted(key), quoted(value)).expect("writing to a string cannot fail");
        }
        text.push('}');
        let mut offset = 0;
        for entry in &self.entries {
            let Entry { name, dtype, shape } = entry;
            let end = offset + entry.n_bytes().expect("counted when the header was made");
            let (name, dtype) = (quoted(name), dtype.name());
            write!(
                text,
                r#",{name}:{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{offset},{end}]}}"#
            )
            .expect("writing to a string cannot fail");
            offset = end;
        }
        text.push('}');
        let mut bytes = text.into_bytes();
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), b' ');
        bytes
    }
}

/// Text as JSON spells it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
