//! Tensors and text in one file, in the safetensors layout: eight bytes with the length of a JSON header, the header,
//! the numbers in little-endian order. Nothing in it is executed, and the same content gives the same bytes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use serde_json::{Map, Value, json};

use crate::error::{Error, Result, Shape};

/// Length of the header is a multiple of this, so that numbers start aligned.
const HEADER_ALIGNMENT: usize = 8;
const MAX_RANK: usize = 2;
const MAX_EXTENT: usize = u32::MAX as usize;

/// The numbers of a tensor, row after row.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// Single precision.
    F32(Vec<f32>),
    /// Double precision.
    F64(Vec<f64>),
}

impl Numbers {
    fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }

    fn dtype(&self) -> (&'static str, usize) {
        match self {
            Self::F32(_) => ("F32", size_of::<f32>()),
            Self::F64(_) => ("F64", size_of::<f64>()),
        }
    }

    fn write(&self, to: &mut impl Write) -> io::Result<()> {
        match self {
            Self::F32(values) => values.iter().try_for_each(|value| to.write_all(&value.to_le_bytes())),
            Self::F64(values) => values.iter().try_for_each(|value| to.write_all(&value.to_le_bytes())),
        }
    }

    fn read(dtype: Dtype, bytes: &[u8]) -> Option<Self> {
        match dtype {
            Dtype::F32 => {
                Some(Self::F32(bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect()))
            }
            Dtype::F64 => {
                Some(Self::F64(bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b)).collect()))
            }
            _ => None,
        }
    }
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
    /// Writes the file whole or not at all: to a new file in the same folder, which then takes the name. A file that is
    /// replaced passes on its permissions, and a link stays one; what is no file is refused.
    pub fn save(&self, path: &Path) -> Result<()> {
        let header = self.header()?;
        self.write(&header, path).map_err(|source| refused(path, source))
    }

    fn write(&self, header: &[u8], path: &Path) -> io::Result<()> {
        let former = fs::metadata(path).ok();
        if former.as_ref().is_some_and(|former| !former.is_file()) {
            return Err(io::Error::other("not a regular file"));
        }
        let target = if former.is_some() { fs::canonicalize(path)? } else { path.to_path_buf() };
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        // The errors of a temporary file do not tell the system's number.
        fs::metadata(folder)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".fastmlp-");
        // Without this a temporary file is its owner's alone, and so would be the model.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let temporary = builder.tempfile_in(folder)?;
        let mut to = BufWriter::new(temporary.as_file());
        to.write_all(&(header.len() as u64).to_le_bytes())?;
        to.write_all(header)?;
        self.in_order().try_for_each(|(_, tensor)| tensor.numbers.write(&mut to))?;
        to.flush()?;
        drop(to);
        if let Some(former) = former {
            temporary.as_file().set_permissions(former.permissions())?;
        }
        temporary.as_file().sync_all()?;
        temporary.persist(&target).map_err(|error| error.error)?;
        sync_folder(folder);
        Ok(())
    }

    /// Reads a file and believes nothing it says unchecked.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(|source| refused(path, source))?;
        Self::parse(&bytes).map_err(|reason| Error::ModelFile { path: path.display().to_string(), reason })
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
        let mut file = Self::default();
        for (name, view) in tensors.tensors() {
            let shape = view.shape().to_vec();
            if shape.len() > MAX_RANK {
                return Err(format!(
                    "tensor {name:?} has {} dimensions, expected at most {MAX_RANK}",
                    shape.len()
                ));
            }
            if shape.iter().any(|&extent| extent > MAX_EXTENT) {
                return Err(format!(
                    "tensor {name:?} has shape {}, expected extents <= {MAX_EXTENT}",
                    Shape(&shape)
                ));
            }
            let numbers = Numbers::read(view.dtype(), view.data())
                .ok_or_else(|| format!("tensor {name:?} is {:?}, expected F32 or F64", view.dtype()))?;
            file.tensors.insert(name, Tensor { shape, numbers });
        }
        file.metadata.extend(header.metadata().clone().unwrap_or_default());
        Ok(file)
    }

    /// Widest numbers first, then by name: every tensor starts aligned.
    fn in_order(&self) -> impl Iterator<Item = (&String, &Tensor)> {
        let of_width =
            |width| self.tensors.iter().filter(move |(_, tensor)| tensor.numbers.dtype().1 == width);
        of_width(size_of::<f64>()).chain(of_width(size_of::<f32>()))
    }

    fn header(&self) -> Result<Vec<u8>> {
        let mut header = Map::new();
        header.insert("__metadata__".into(), json!(self.metadata));
        let mut offset = 0;
        for (name, Tensor { shape, numbers }) in self.in_order() {
            if shape.len() > MAX_RANK || shape.iter().product::<usize>() != numbers.len() {
                let expected = format!("at most {MAX_RANK} extents that multiply to {}", numbers.len());
                return Err(Error::shape("tensors", shape, expected));
            }
            let (dtype, width) = numbers.dtype();
            let end = offset + numbers.len() * width;
            header.insert(
                name.clone(),
                json!({ "dtype": dtype, "shape": shape, "data_offsets": [offset, end] }),
            );
            offset = end;
        }
        let mut bytes = Value::Object(header).to_string().into_bytes();
        bytes.resize(bytes.len().next_multiple_of(HEADER_ALIGNMENT), b' ');
        Ok(bytes)
    }
}

fn refused(path: &Path, source: io::Error) -> Error {
    Error::Io { path: path.display().to_string(), source }
}

/// Makes the new name last through a power cut, where a folder can be synchronised. Where it cannot, the file is there
/// all the same.
fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> TensorFile {
        let tensor = |shape: &[usize], numbers| Tensor { shape: shape.to_vec(), numbers };
        TensorFile {
            tensors: [
                ("a".into(), tensor(&[3], Numbers::F32(vec![1.0, f32::MIN_POSITIVE, -0.0]))),
                ("b".into(), tensor(&[2, 1], Numbers::F64(vec![std::f64::consts::PI, -1e300]))),
                ("empty".into(), tensor(&[0], Numbers::F32(vec![]))),
            ]
            .into(),
            metadata: [("name".into(), "ein \"Modell\"".into()), ("format".into(), "1".into())].into(),
        }
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        example().save(&path).unwrap();
        assert_eq!(TensorFile::load(&path).unwrap(), example());
        let first = fs::read(&path).unwrap();
        example().save(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), first, "the same content gives the same bytes");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
    }

    #[test]
    fn a_file_cut_short_or_extended_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        example().save(&path).unwrap();
        let whole = fs::read(&path).unwrap();
        for len in 0..whole.len() {
            assert!(TensorFile::parse(&whole[..len]).is_err(), "{len} bytes");
        }
        assert!(TensorFile::parse(&[&whole[..], b"\0"].concat()).is_err());
    }

    #[test]
    fn a_shape_must_fit_its_numbers() {
        let wrong = Tensor { shape: vec![2, 2], numbers: Numbers::F32(vec![0.0; 3]) };
        let file = TensorFile { tensors: [("w".into(), wrong)].into(), ..TensorFile::default() };
        assert_eq!(
            file.save(Path::new("never-written")).unwrap_err().to_string(),
            "tensors has shape (2, 2), expected at most 2 extents that multiply to 3"
        );
    }

    #[test]
    fn a_save_into_a_missing_folder_fails() {
        let missing = Path::new("no/such/folder/model.safetensors");
        assert!(matches!(example().save(missing), Err(Error::Io { .. })));
    }
}
