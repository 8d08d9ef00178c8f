//! Writes the table of embedded files from `web/dist`, when the console has been built.
//!
//! Compression happens in the console's own build (`*.br`, `*.gz` beside each file), so that this
//! needs no library and takes no time.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The most files a console may have; more means that something else was put into `web/dist`.
const MAX_FILES: usize = 1024;

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let dist = root.join("../../web/dist");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("table.rs");
    println!("cargo::rerun-if-changed=build.rs");
    // The stamp is written last by the console's build. A missing file would count as changed each
    // time, so until then only this file is watched, and the console's build touches it.
    let stamp = dist.join("stamp.txt");
    if !stamp.is_file() {
        return fs::write(out, "const FILES: &[File] = &[];\n");
    }
    println!("cargo::rerun-if-changed={}", stamp.display());
    let dist = fs::canonicalize(dist)?;
    let mut files = BTreeMap::new();
    collect(&dist, &dist, &mut files)?;
    // A copy: the console may be built again while the compiler reads.
    let copy = out.with_file_name("dist");
    let _ = fs::remove_dir_all(&copy);
    for (name, path) in &mut files {
        let own = copy.join(name.as_str());
        if let Some(folder) = own.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&*path, &own)?;
        *path = own;
    }
    fs::write(out, table(&files)?)
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
            continue;
        }
        if files.len() >= MAX_FILES {
            return Err(io::Error::other(format!(
                "{} holds more than {MAX_FILES} files; build the console again: make console",
                root.display()
            )));
        }
        let name = path.strip_prefix(root).map_err(io::Error::other)?;
        files.insert(name.to_string_lossy().replace('\\', "/"), path);
    }
    Ok(())
}

fn table(files: &BTreeMap<String, PathBuf>) -> io::Result<String> {
    let mut text = String::from("const FILES: &[File] = &[\n");
    for (name, path) in files {
        let skipped = [".br", ".gz", ".map"].iter().any(|end| name.ends_with(end));
        if skipped || name.starts_with(".vite/") || name == "stamp.txt" {
            continue;
        }
        let variant = |end: &str| match files.get(&format!("{name}{end}")) {
            Some(path) => format!("Some(include_bytes!({:?}))", path.display().to_string()),
            None => "None".to_owned(),
        };
        text.push_str(&format!(
            "    File {{ path: {name:?}, tags: {:?}, plain: include_bytes!({:?}), brotli: {}, gzip: {} }},\n",
            tags(&fs::read(path)?),
            path.display().to_string(),
            variant(".br"),
            variant(".gz"),
        ));
    }
    text.push_str("];\n");
    Ok(text)
}

/// A tag that changes when the bytes do; not a promise of authenticity.
fn tags(bytes: &[u8]) -> [String; 3] {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    let digest = format!("{:016x}{:x}", hasher.finish(), bytes.len());
    ["", "-br", "-gz"].map(|end| format!("\"{digest}{end}\""))
}
