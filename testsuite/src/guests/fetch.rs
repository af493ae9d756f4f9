//! Getting guests from Debian's packages: installed ones are used where they are; others are downloaded (apt checks
//! them against the archive's signed sums) and unpacked into a cache folder, without root.

use super::list::{DEBIAN, Guest, Origin};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where downloaded guests are unpacked.
pub fn cache_folder() -> PathBuf {
    match std::env::var_os("BOXWOOD_GUESTS") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/guests"),
    }
}

/// The file of a guest, if it is there.
pub fn find(guest: &Guest, images: Option<&Path>) -> Result<PathBuf> {
    let (candidates, how) = match guest.origin {
        Origin::Debian { package, path } => (
            vec![PathBuf::from(path), cache_folder().join(&path[1..])],
            format!("apt-get install {package}, or cargo run -p testsuite -- guests fetch"),
        ),
        Origin::Image(name) => (
            images.map(|f| f.join(name)).into_iter().collect(),
            format!("name the folder that has {name} with --images"),
        ),
    };
    match candidates.into_iter().find(|p| p.exists()) {
        Some(path) => Ok(path),
        None => bail!("the guest is not here: {how}"),
    }
}

/// Gets every guest that comes from a Debian package.
pub fn fetch_all() -> Result<()> {
    let mut missing: Vec<&str> = Vec::new();
    for guest in DEBIAN {
        if let Origin::Debian { package, path } = guest.origin {
            match find(guest, None) {
                Ok(at) => println!("{:<28} {}", guest.name, at.display()),
                Err(_) if !missing.contains(&package) => {
                    println!("{:<28} from {package}, {path}", guest.name);
                    missing.push(package);
                }
                Err(_) => {}
            }
        }
    }
    for package in missing {
        fetch(package).with_context(|| format!("the package {package} cannot be had"))?;
    }
    for guest in DEBIAN {
        find(guest, None).with_context(|| guest.name)?;
    }
    Ok(())
}

fn fetch(package: &str) -> Result<()> {
    let cache = cache_folder();
    let debs = cache.join("packages").join(package);
    std::fs::create_dir_all(&debs)?;
    let status = Command::new("apt-get")
        .args(["-q", "download", package])
        .current_dir(&debs)
        .status()
        .context("apt-get cannot be run: this needs a Debian machine")?;
    if !status.success() {
        bail!("apt-get download {package} failed (apt-get update may help)");
    }
    for entry in std::fs::read_dir(&debs)? {
        let deb = entry?.path();
        let status = Command::new("dpkg")
            .arg("-x")
            .arg(&deb)
            .arg(&cache)
            .status()?;
        if !status.success() {
            bail!("{} cannot be unpacked", deb.display());
        }
    }
    Ok(())
}
