//! Files of Debian packages: installed ones are used where they are; others are downloaded (apt checks them against
//! the archive's signed sums) and unpacked into a cache folder, without root.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of a Debian package.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct PackageFile {
    pub package: &'static str,
    pub path: &'static str,
}

/// Where packages are unpacked, and where guests run.
pub fn cache_folder() -> PathBuf {
    match std::env::var_os("BOXWOOD_GUESTS") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/guests"),
    }
}

impl PackageFile {
    /// The file, if the package is installed or was fetched.
    pub fn find(self) -> Result<PathBuf> {
        let Self { package, path } = self;
        // Debian moves /sbin and /lib below /usr; a package that was only unpacked has whichever its release chose.
        let below_usr = format!("/usr{path}");
        let cache = cache_folder();
        [path, &below_usr]
            .into_iter()
            .flat_map(|p| [PathBuf::from(p), cache.join(&p[1..])])
            .find(|p| p.exists())
            .with_context(|| {
                format!(
                    "{path} is not here: apt-get install {package}, or cargo run -p testsuite -- guests fetch --which all"
                )
            })
    }
}

/// Gets every package of which a file is missing; every package is tried before the first failure is reported.
pub fn fetch(files: &[PackageFile]) -> Result<()> {
    let mut packages: Vec<&str> = Vec::new();
    for file in files {
        match file.find() {
            Ok(at) => println!("{:<16} {}", file.package, at.display()),
            Err(_) if packages.contains(&file.package) => {}
            Err(_) => packages.push(file.package),
        }
    }
    let mut lists = Lists::AsTheyAre;
    let mut failures = Vec::new();
    for package in packages {
        match download(package, &mut lists).and_then(|debs| unpack(&debs)) {
            Ok(()) => println!("{package:<16} fetched"),
            Err(e) => failures.push(format!("{package}: {e:#}")),
        }
    }
    if !failures.is_empty() {
        bail!("not all packages can be had: {}", failures.join("; "));
    }
    for file in files {
        file.find()?;
    }
    Ok(())
}

/// The state of apt's package lists: a fresh system has none.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Lists {
    AsTheyAre,
    Updated,
}

/// Downloads a package; gives the folder that it lies in.
fn download(package: &str, lists: &mut Lists) -> Result<PathBuf> {
    let folder = cache_folder().join("packages").join(package);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let attempt = || apt_get(&["download", package], &folder);
    if attempt()? {
        return Ok(folder);
    }
    if *lists == Lists::AsTheyAre {
        if !is_root()? {
            bail!("apt-get download failed; apt-get update, which needs root, may help");
        }
        println!("apt-get update, because apt-get download {package} failed");
        apt_get(&["update"], &folder)?;
        *lists = Lists::Updated;
        if attempt()? {
            return Ok(folder);
        }
    }
    bail!("apt-get download failed, after apt-get update too");
}

/// Runs apt-get; whether it succeeded.
fn apt_get(words: &[&str], folder: &Path) -> Result<bool> {
    let status = Command::new("apt-get")
        .args(["-qq", "-o", "APT::Sandbox::User=root"])
        .args(words)
        .current_dir(folder)
        .status()
        .context("apt-get cannot be run: this needs a Debian machine")?;
    Ok(status.success())
}

fn is_root() -> Result<bool> {
    let out = Command::new("id").arg("-u").output()?;
    Ok(out.stdout.trim_ascii() == b"0")
}

/// Unpacks the packages of a folder into the cache.
fn unpack(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let deb = entry?.path();
        let status = Command::new("dpkg")
            .arg("-x")
            .arg(&deb)
            .arg(cache_folder())
            .status()
            .context("dpkg cannot be run: this needs a Debian machine")?;
        if !status.success() {
            bail!("{} cannot be unpacked", deb.display());
        }
    }
    Ok(())
}
