//! Writes out the docstrings, and tells the source what kind of interpreter it is built for.
//!
//! Each file of `doc/` is a docstring. A line `{name}` in it stands for the paragraphs of `doc/shared/name.txt`, which
//! several docstrings have.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    pyo3_build_config::use_pyo3_cfgs();
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=doc");
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("doc");
    fs::create_dir_all(&out)?;
    for file in fs::read_dir("doc")? {
        let path = file?.path();
        if let Some(name) = path.file_name().filter(|_| path.is_file()) {
            fs::write(out.join(name), docstring(&path)?)?;
        }
    }
    Ok(())
}

/// The text of a file with its shared paragraphs in place, and no end of line at its end.
fn docstring(path: &Path) -> io::Result<String> {
    let text = read(path)?;
    let lines =
        text.lines().map(|line| match line.strip_prefix('{').and_then(|line| line.strip_suffix('}')) {
            Some(name) => docstring(&Path::new("doc/shared").join(name).with_extension("txt")),
            None => Ok(line.to_owned()),
        });
    Ok(lines.collect::<io::Result<Vec<_>>>()?.join("\n"))
}

fn read(path: &Path) -> io::Result<String> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    fs::read_to_string(path).map_err(named)
}
