use super::*;

fn example() -> TensorFile {
    let tensor = |shape: &[usize], numbers| Tensor { shape: shape.to_vec(), numbers };
    TensorFile {
        tensors: [
            ("a".into(), tensor(&[3], Numbers::F32(vec![1.0, f32::MIN_POSITIVE, -0.0]))),
            ("b".into(), tensor(&[2, 1], Numbers::F64(vec![std::f64::consts::PI, -1e300]))),
            ("empty".into(), tensor(&[0], Numbers::F32(vec![]))),
            ("bytes".into(), tensor(&[2], Numbers::U8(vec![0, 255]))),
            ("integers".into(), tensor(&[1, 3], Numbers::I64(vec![i64::MIN, -1, i64::MAX]))),
            ("\"ünïcode\"\n".into(), tensor(&[], Numbers::F32(vec![7.0]))),
        ]
        .into(),
        metadata: [("name".into(), "ein \"Modell\"".into()), ("a\tkey".into(), "\u{1}".into())].into(),
    }
}

fn saved(file: &TensorFile) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    file.save(&path).unwrap();
    fs::read(path).unwrap()
}

fn read(bytes: &[u8]) -> Result<TensorFile> {
    TensorFile::read(Path::new("model"), bytes, Some(bytes.len() as u64))
}

/// A file with this header, valid or not, and a checksum that is right if the header begins as it should.
fn made(header: &str, numbers: &[u8]) -> Vec<u8> {
    let header = header.as_bytes();
    let mut bytes = [&(header.len() as u64).to_le_bytes(), header, numbers].concat();
    let start = br#"{"__metadata__":{"crc32":""#.len() + 8;
    if header.starts_with(br#"{"__metadata__":{"crc32":"00000000"#) {
        let digits = format!("{:08x}", crc32fast::hash(&bytes));
        bytes[start..start + 8].copy_from_slice(digits.as_bytes());
    }
    bytes
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
fn many_numbers_are_read_as_they_were() {
    let numbers: Vec<f32> = (0..=3 * PIECE).map(|i| i as f32).collect();
    let tensor = Tensor { shape: vec![numbers.len()], numbers: Numbers::F32(numbers) };
    let file = TensorFile { tensors: [("w".into(), tensor)].into(), ..TensorFile::default() };
    assert_eq!(read(&saved(&file)).unwrap(), file);
}

#[test]
fn another_reader_reads_it() {
    let bytes = saved(&example());
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let theirs = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(header.metadata().as_ref().unwrap()["format"], "fastmlp-2");
    let of_file =
        |name: &str| (theirs.tensor(name).unwrap().shape().to_vec(), theirs.tensor(name).unwrap().data());
    let b: Vec<u8> =
        [std::f64::consts::PI, -1e300].iter().flat_map(|value: &f64| value.to_le_bytes()).collect();
    assert_eq!(of_file("b"), (vec![2, 1], &b[..]));
    assert_eq!(of_file("\"ünïcode\"\n"), (vec![], &7_f32.to_le_bytes()[..]));
    assert_eq!(of_file("bytes"), (vec![2], &[0, 255][..]));
    let integers: Vec<u8> = [i64::MIN, -1, i64::MAX].iter().flat_map(|value| value.to_le_bytes()).collect();
    assert_eq!(of_file("integers"), (vec![1, 3], &integers[..]));
    assert_eq!(theirs.len(), 6);
}

#[test]
fn every_cut_every_addition_and_every_flipped_bit_is_refused() {
    let whole = saved(&example());
    for len in 0..whole.len() {
        assert!(matches!(read(&whole[..len]), Err(Error::ModelFile { .. })), "{len} bytes");
    }
    assert!(read(&[&whole[..], b"\0"].concat()).is_err());
    for bit in 0..8 * whole.len() {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(read(&flipped), Err(Error::ModelFile { .. })), "bit {bit}");
    }
}

#[test]
fn a_file_that_grows_or_shrinks_while_it_is_read_is_refused() {
    let whole = saved(&example());
    let size = whole.len() as u64;
    for bytes in [&whole[..whole.len() - 1], &whole[..20]] {
        let error = TensorFile::read(Path::new("model"), bytes, Some(size)).unwrap_err();
        assert_eq!(error.to_string(), "model is not a model file: it is cut short");
    }
}

/// Takes a few bytes at a time, and fails after some.
struct Narrow {
    taken: Vec<u8>,
    room: usize,
}

impl Write for Narrow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min(7).min(self.room - self.taken.len());
        self.taken.extend(&bytes[..n]);
        if n == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(n) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_is_written_in_pieces_is_the_file_or_an_error() {
    let whole = saved(&example());
    for room in [0, 8, whole.len() - 1, whole.len()] {
        let mut to = Narrow { taken: vec![], room };
        let written = example().save_to(&mut to, Path::new("narrow"));
        assert_eq!(to.taken, whole[..room]);
        assert_eq!(written.is_ok(), room == whole.len());
    }
}

#[test]
fn of_a_stream_one_file_is_read_and_no_byte_more() {
    let whole = saved(&example());
    let twice = [&whole[..], &whole, b"rest"].concat();
    let mut stream = &twice[..];
    for _ in 0..2 {
        assert_eq!(TensorFile::read(Path::new("stream"), &mut stream, None).unwrap(), example());
    }
    assert_eq!(stream, b"rest");
    for n in 0..whole.len() {
        let error = TensorFile::read(Path::new("stream"), &whole[..n], None).unwrap_err();
        assert_eq!(error.to_string(), "stream is not a model file: it is cut short", "{n} bytes");
    }
}

#[test]
fn there_is_one_header_for_a_content() {
    let text = r#"{"__metadata__":{"crc32":"00000000","format":"fastmlp-1"},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let padded = |text: &str| format!("{text:<0$}", text.len().next_multiple_of(8));
    assert!(read(&made(&padded(text), &[0; 4])).is_ok());
    for (other, what) in [
        (text.to_owned(), "no padding"),
        (padded(text) + "        ", "more padding"),
        (padded(&text.replace(":[1]", ": [1]")), "a space"),
        (padded(&text.replace("[0,4]", "[0,4.0]")), "a fraction"),
        (padded(&text.replace("\"w\"", "\"\\u0077\"")), "an escape"),
        (padded(&text.replace("\"dtype\"", "\"note\":1,\"dtype\"")), "a key that is not read"),
        (padded(&text.replace("\"w\"", "\"w\":{},\"w\"")), "a key twice"),
        (padded(&text.replace("{\"__", "{ \"__")), "another beginning"),
    ] {
        let error = read(&made(&other, &[0; 4])).unwrap_err().to_string();
        assert!(error.ends_with("its header is not the one that belongs to its tensors"), "{what}: {error}");
    }
}

#[test]
fn what_could_not_be_read_back_is_not_saved() {
    let path = Path::new("no/such/folder/never-written");
    let of = |name: &str, shape: &[usize], len: usize| {
        let tensor = Tensor { shape: shape.to_vec(), numbers: Numbers::F32(vec![0.0; len]) };
        TensorFile { tensors: [(name.to_owned(), tensor)].into(), ..TensorFile::default() }
    };
    let with_text = |key: &str, text: &str| TensorFile {
        metadata: [(key.to_owned(), text.to_owned())].into(),
        ..TensorFile::default()
    };
    let tensors =
        (0..4097).map(|i| (i.to_string(), Tensor { shape: vec![0], numbers: Numbers::F32(vec![]) }));
    for (file, message) in [
        (of("w", &[2, 2], 3), "tensors has shape (2, 2), expected extents that multiply to 3"),
        (
            of("w", &[1, 1, 1], 1),
            "the file could not be read back: tensor \"w\" has 3 dimensions, expected at most 2",
        ),
        (
            of("w", &[0, 1 << 40], 0),
            "the file could not be read back: tensor \"w\" has shape (0, 1099511627776), expected extents <= 4294967295",
        ),
        (
            of("__metadata__", &[1], 1),
            "the file could not be read back: a tensor has the name of the text, \"__metadata__\"",
        ),
        (
            with_text("crc32", "0"),
            "the file could not be read back: the text has the key \"crc32\", which is the file's own",
        ),
        (
            with_text("note", &"x".repeat(1 << 20)),
            "the file could not be read back: its header has 1048648 bytes, expected at most 1048576",
        ),
        (
            TensorFile { tensors: tensors.collect(), ..TensorFile::default() },
            "the file could not be read back: it has 4097 tensors, expected at most 4096",
        ),
    ] {
        assert_eq!(file.save(path).unwrap_err().to_string(), message);
    }
}
