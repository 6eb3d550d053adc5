//! Tensors and text in one file, in the safetensors layout: eight bytes with the length of a JSON header, the header,
//! the numbers in little-endian order. Nothing in the file is executed, and the same content gives the same bytes.
//!
//! The text of the header begins with a checksum, the CRC-32 of the whole file with its own eight digits as zeros. It
//! detects all damage of up to 32 bits in a row, and misses one in 2³² of other damage, at the speed of a disk. It is
//! not a signature: anyone who forges a file can forge its checksum too.

mod atomic;
pub(crate) mod json;
mod header;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use crc32fast::Hasher;

use self::header::{Dtype, Entry, Header, MAX_HEADER};
use crate::error::{Error, Result};
use crate::memory::limit;

/// Bytes that are converted at a time.
const PIECE: usize = 1 << 13;
/// Bytes that are passed on at a time, where passing them on costs more than a system call.
const LARGE_PIECE: usize = 1 << 20;

/// The numbers of a tensor, row after row.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
    /// Integers.
    I64(Vec<i64>),
    /// Bytes.
    U8(Vec<u8>),
}

impl Numbers {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::U8(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn dtype(&self) -> Dtype {
        match self {
            Self::F32(_) => Dtype::F32,
            Self::F64(_) => Dtype::F64,
            Self::I64(_) => Dtype::I64,
            Self::U8(_) => Dtype::U8,
        }
    }

    fn write(&self, to: &mut impl Write) -> io::Result<()> {
        match self {
            Self::F32(values) => write_numbers(values, to, f32::to_le_bytes),
            Self::F64(values) => write_numbers(values, to, f64::to_le_bytes),
            Self::I64(values) => write_numbers(values, to, i64::to_le_bytes),
            Self::U8(values) => to.write_all(values),
        }
    }

    /// Allocates memory for `claim` numbers before the first one is read, and for others as they come.
    fn read(dtype: Dtype, len: usize, claim: usize, from: &mut impl Read) -> io::Result<Self> {
        match dtype {
            Dtype::F32 => read_numbers(len, claim, from, f32::from_le_bytes).map(Self::F32),
            Dtype::F64 => read_numbers(len, claim, from, f64::from_le_bytes).map(Self::F64),
            Dtype::I64 => read_numbers(len, claim, from, i64::from_le_bytes).map(Self::I64),
            Dtype::U8 => read_numbers(len, claim, from, u8::from_le_bytes).map(Self::U8),
        }
    }
}

fn write_numbers<T: Copy, const N: usize>(
    values: &[T],
    to: &mut impl Write,
    bytes_of: impl Fn(T) -> [u8; N],
) -> io::Result<()> {
    let mut piece = [0; PIECE];
    for values in values.chunks(PIECE / N) {
        let bytes = &mut piece[..values.len() * N];
        bytes.as_chunks_mut().0.iter_mut().zip(values).for_each(|(bytes, &value)| *bytes = bytes_of(value));
        to.write_all(bytes)?;
    }
    Ok(())
}

fn read_numbers<T, const N: usize>(
    len: usize,
    claim: usize,
    from: &mut impl Read,
    value_of: impl Fn([u8; N]) -> T,
) -> io::Result<Vec<T>> {
    let mut values = Vec::new();
    values.try_reserve_exact(claim).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let mut piece = [0; PIECE];
    while values.len() < len {
        let bytes = &mut piece[..(len - values.len()).min(PIECE / N) * N];
        from.read_exact(bytes)?;
        values.try_reserve(bytes.len() / N).map_err(|_| io::ErrorKind::OutOfMemory)?;
        values.extend(bytes.as_chunks().0.iter().map(|&bytes| value_of(bytes)));
    }
    Ok(values)
}

/// Numbers with a shape of at most two dimensions.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Extents.
    pub shape: Vec<usize>,
    /// As many numbers as the extents multiply to.
    pub numbers: Numbers,
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TensorFile {
    /// By name.
    pub tensors: BTreeMap<String, Tensor>,
    /// By key.
    pub metadata: BTreeMap<String, String>,
}

impl TensorFile {
    /// Writes the file completely or not at all. The new file gets the permissions of a file that it replaces and,
    /// where the process may set them, its owner and group; a link stays a link; anything that is not a file, or not
    /// writable, is refused.
    pub fn save(&self, path: &Path) -> Result<()> {
        let (header, checksum) = self.sealed()?;
        atomic::replace(path, |to| self.write(&header, checksum, to)).map_err(|source| refused(path, source))
    }

    /// Writes the bytes of the file in pieces; `name` is for errors. Nothing is written if it could not be read back.
    pub fn save_to(&self, to: impl Write, name: &Path) -> Result<()> {
        let (header, checksum) = self.sealed()?;
        let mut to = BufWriter::with_capacity(LARGE_PIECE, to);
        let written = self.write(&header, checksum, &mut to).and_then(|()| to.flush());
        // Bytes that an error left in the buffer must not be written when the buffer is dropped.
        let _ = to.into_parts();
        written.map_err(|source| refused(name, source))
    }

    /// The header, and the checksum of the file.
    fn sealed(&self) -> Result<(Header, u32)> {
        let header = self.header()?;
        let mut sum = Sum(Hasher::new());
        self.write(&header, 0, &mut sum).expect("writing to a checksum cannot fail");
        Ok((header, sum.0.finalize()))
    }

    fn write(&self, header: &Header, checksum: u32, to: &mut impl Write) -> io::Result<()> {
        let text = header.bytes(checksum);
        to.write_all(&(text.len() as u64).to_le_bytes())?;
        to.write_all(&text)?;
        header.entries().iter().try_for_each(|entry| self.tensors[&entry.name].numbers.write(to))
    }

    fn header(&self) -> Result<Header> {
        for Tensor { shape, numbers } in self.tensors.values() {
            let len = shape.iter().try_fold(1_usize, |len, &extent| len.checked_mul(extent));
            if len != Some(numbers.len()) {
                let expected = format!("extents that multiply to {}", numbers.len());
                return Err(Error::shape("tensors", shape, expected));
            }
        }
        let entries = self.tensors.iter().map(|(name, Tensor { shape, numbers })| {
            let (name, shape) = (name.clone(), shape.clone());
            Entry { name, dtype: numbers.dtype(), shape }
        });
        Header::new(self.metadata.clone(), entries.collect()).map_err(|reason| Error::Unsavable { reason })
    }

    /// Reads a file and checks everything in it before use.
    pub fn load(path: &Path) -> Result<Self> {
        let open = || {
            let kind = fs::metadata(path)?;
            // Opening a pipe would wait for a writer. A folder is refused when it is read.
            if !kind.is_file() && !kind.is_dir() {
                return Err(io::Error::other("not a regular file"));
            }
            let file = File::open(path)?;
            let size = file.metadata()?.len();
            Ok((file, size))
        };
        let (file, size) = open().map_err(|source| refused(path, source))?;
        Self::read(path, file, Some(size))
    }

    /// Reads a file, whose path is for errors. If `size` is given, it is the length of the whole file; otherwise the
    /// bytes of one file are read, and none beyond. Memory is allocated for numbers that are known to be there, or
    /// that have been read.
    pub fn read(path: &Path, mut from: impl Read, size: Option<u64>) -> Result<Self> {
        let damaged = |reason: String| Error::ModelFile { path: path.display().to_string(), reason };
        let failed = |source: io::Error, elements: usize| match source.kind() {
            io::ErrorKind::UnexpectedEof => damaged("it is cut short".into()),
            io::ErrorKind::OutOfMemory => Error::OutOfMemory { what: "a file", elements },
            _ => refused(path, source),
        };

        let mut length = [0; size_of::<u64>()];
        from.read_exact(&mut length).map_err(|error| failed(error, 0))?;
        let length = u64::from_le_bytes(length);
        if length > MAX_HEADER as u64 {
            return Err(damaged(format!("its header has {length} bytes, expected at most {MAX_HEADER}")));
        }
        let mut text = Vec::new();
        from.by_ref().take(length).read_to_end(&mut text).map_err(|error| failed(error, MAX_HEADER))?;
        if (text.len() as u64) < length {
            return Err(damaged("it is cut short".into()));
        }
        let (header, checksum) = Header::parse(&text).map_err(damaged)?;
        let expected = header.n_bytes().saturating_add(size_of::<u64>() as u64 + length);
        if let Some(size) = size.filter(|&size| size != expected) {
            return Err(damaged(format!("it has {size} bytes, expected {expected}")));
        }

        // Making a network from the numbers holds them twice for a while.
        let elements = header.entries().iter().map(|entry| entry.shape.iter().product::<usize>());
        limit::check("a file", elements.sum(), header.n_bytes(), header.n_bytes())?;

        let mut from = Summed { from, sum: Hasher::new() };
        from.sum.update(&length.to_le_bytes());
        from.sum.update(&header.bytes(0));
        let mut tensors = BTreeMap::new();
        for Entry { name, dtype, shape } in header.entries() {
            let len = shape.iter().product();
            let claim = if size.is_some() { len } else { 0 };
            let numbers = Numbers::read(*dtype, len, claim, &mut from).map_err(|error| failed(error, len))?;
            tensors.insert(name.clone(), Tensor { shape: shape.clone(), numbers });
        }
        let found = from.sum.finalize();
        if found != checksum {
            let reason = format!("it is damaged: its checksum is {found:08x}, expected {checksum:08x}");
            return Err(damaged(reason));
        }
        Ok(Self { tensors, metadata: header.metadata })
    }
}

/// Computes the checksum of what is written to it.
struct Sum(Hasher);

impl Write for Sum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Computes the checksum of what is read through it.
struct Summed<R> {
    from: R,
    sum: Hasher,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(to)?;
        self.sum.update(&to[..n]);
        Ok(n)
    }
}

fn refused(path: &Path, source: io::Error) -> Error {
    Error::Io { path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests;
