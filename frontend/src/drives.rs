//! Which image goes into which drive.

use crate::cli::RunArgs;
use crate::exit::Mistake;
use machine::media::{self, DriveSlot};
use machine::spec::{BootDevice, MachineSpec, MediumSource};
use std::path::{Path, PathBuf};

/// Recognises an image by its size and contents.
fn kind_of(path: &Path) -> Result<DriveSlot, Mistake> {
    let kind = media::recognise(path).map_err(|e| Mistake::data(e.to_string()))?;
    Ok(kind.into())
}

/// `FILE[,readonly][,snapshot]`.
fn source(option: &str, text: &str) -> Result<MediumSource, Mistake> {
    let mut path = text;
    let (mut read_only, mut snapshot) = (false, false);
    while let Some((rest, word)) = path.rsplit_once(',') {
        match word {
            "readonly" => read_only = true,
            "snapshot" => snapshot = true,
            // A comma may be part of a file's name.
            _ if Path::new(path).exists() => break,
            _ => {
                return Err(Mistake::usage(format!(
                    "{option} {text}: {word:?} is not known: there are readonly and snapshot"
                )));
            }
        }
        path = rest;
    }
    if path.is_empty() {
        return Err(Mistake::usage(format!("{option} needs a file's name")));
    }
    let path = PathBuf::from(path);
    Ok(MediumSource::File {
        path,
        read_only,
        snapshot,
    })
}

fn path_of(source: &MediumSource) -> Option<&Path> {
    match source {
        MediumSource::File { path, .. } => Some(path),
        MediumSource::Demo => None,
    }
}

/// Puts the images of the command line into the machine's drives.
pub fn fill(args: &RunArgs, spec: &mut MachineSpec) -> Result<(), Mistake> {
    for text in &args.floppy {
        let medium = source("--floppy", text)?;
        let free = spec.floppies.iter_mut().find(|f| f.is_none());
        *free.ok_or_else(|| {
            Mistake::usage("--floppy was given three times, but there are two drives")
        })? = Some(medium);
    }
    for text in &args.disk {
        spec.disks.push(source("--disk", text)?);
    }
    if let Some(text) = &args.cdrom {
        spec.cdrom = Some(source("--cdrom", text)?);
    }
    if let Some(text) = &args.image {
        let medium = source("the image", text)?;
        let kind = path_of(&medium).map_or(Ok(DriveSlot::Floppy), kind_of)?;
        match kind {
            DriveSlot::Floppy if spec.floppies[0].is_some() => {
                return Err(Mistake::usage(format!(
                    "{text} is a floppy image, but --floppy has filled drive A: already"
                )));
            }
            DriveSlot::Floppy => spec.floppies[0] = Some(medium),
            DriveSlot::HardDisk => spec.disks.insert(0, medium),
            DriveSlot::Cdrom if spec.cdrom.is_some() => {
                return Err(Mistake::usage(format!(
                    "{text} is a CD image, but --cdrom has filled the drive already"
                )));
            }
            DriveSlot::Cdrom => spec.cdrom = Some(medium),
        }
        if args.boot.is_none() {
            // What was named for booting boots first.
            let first = match kind {
                DriveSlot::Floppy => BootDevice::Floppy,
                DriveSlot::HardDisk => BootDevice::Disk,
                DriveSlot::Cdrom => BootDevice::Cdrom,
            };
            spec.boot = vec![first];
        }
    }
    let all: Vec<&MediumSource> = spec
        .floppies
        .iter()
        .flatten()
        .chain(&spec.disks)
        .chain(&spec.cdrom)
        .collect();
    for (i, a) in all.iter().enumerate() {
        if let Some(path) = path_of(a)
            && all[..i]
                .iter()
                .any(|b| path_of(b).is_some_and(|p| same_file(p, path)))
        {
            return Err(Mistake::usage(format!(
                "{} was given to two drives",
                path.display()
            )));
        }
    }
    if all.is_empty() && spec.linux.is_none() {
        spec.floppies[0] = Some(MediumSource::Demo);
    }
    if let Some(letters) = &args.boot {
        spec.boot = boot_order(letters)?;
    }
    Ok(())
}

/// Whether two names lead to one file.
fn same_file(a: &Path, b: &Path) -> bool {
    a == b
        || match (a.canonicalize(), b.canonicalize()) {
            (Ok(a), Ok(b)) => a == b,
            _ => false,
        }
}

fn boot_order(letters: &str) -> Result<Vec<BootDevice>, Mistake> {
    let mut order = Vec::new();
    for letter in letters.chars() {
        let device = match letter {
            'a' => BootDevice::Floppy,
            'c' => BootDevice::Disk,
            'd' => BootDevice::Cdrom,
            _ => {
                return Err(Mistake::usage(format!(
                    "--boot {letters}: {letter:?} is no drive: a is the floppy, c the hard disk, d the CD"
                )));
            }
        };
        if order.contains(&device) {
            return Err(Mistake::usage(format!(
                "--boot {letters}: {letter:?} stands twice"
            )));
        }
        order.push(device);
    }
    if order.is_empty() {
        return Err(Mistake::usage(
            "--boot needs at least one letter of a, c, d",
        ));
    }
    Ok(order)
}
