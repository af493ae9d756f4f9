//! Booting a guest through the `boxwood` binary, as a user would.

use super::disk::Files;
use super::dos;
use super::firmware::Firmware;
use super::linux_disk;
use super::list::{Guest, Medium, Source, Step};
use super::package::cache_folder;
use anyhow::{Context, Result, bail, ensure};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// No session takes so long on any host: a guest that halts for ever retires too few instructions to reach its limit.
const HOST_LIMIT_SECONDS: &str = "1800";
/// A step that no guest meets: when the machine is switched off while this one is awaited, all before it were met.
const NEVER_SENT: &str = "(the guest is to power off)";
/// What `boxwood` says then, and its exit code.
const SWITCHED_OFF: &str =
    "the guest switched the power off before --expect-serial \"(the guest is to";
const ENDED_EARLY: i32 = 125;
/// How long the demo disk is as a floppy and as a hard disk.
const DEMO_FLOPPY_BYTES: u64 = 1440 << 10;
const DEMO_DISK_BYTES: u64 = 8 << 20;

/// A guest under a firmware.
#[derive(Clone, Debug)]
pub struct Row {
    pub guest: Guest,
    pub firmware: Firmware,
}

impl Row {
    pub fn name(&self) -> String {
        format!("{}, {}", self.guest.name, self.firmware.name)
    }
}

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Places {
    pub boxwood: PathBuf,
    pub images: Option<PathBuf>,
}

/// What a row took.
#[derive(Copy, Clone, PartialEq, Debug, Default)]
pub struct Cost {
    pub host_seconds: f64,
    pub insns: u64,
}

/// The `boxwood` that was built beside this program.
pub fn binary_beside_us() -> Result<PathBuf> {
    let mut path = std::env::current_exe()?;
    path.set_file_name("boxwood");
    if !path.exists() {
        bail!("{} is not there: cargo build -p frontend", path.display());
    }
    Ok(path)
}

/// The file that a guest comes from.
fn find(source: Source, places: &Places) -> Result<PathBuf> {
    match source {
        Source::Package(file) => file.find(),
        Source::Image(name) => {
            let folder = places.images.as_ref();
            let folder =
                folder.with_context(|| format!("--images names the folder with {name}"))?;
            let path = folder.join(name);
            ensure!(path.exists(), "{} is not there", path.display());
            Ok(path)
        }
        Source::Demo => Ok(Path::new(env!("CARGO_MANIFEST_DIR")).join("../roms/demo.bin")),
    }
}

/// Makes the image that the guest runs on; it may write to it.
fn make_image(medium: &Medium, places: &Places, image: &Path) -> Result<()> {
    let original = find(medium.source(), places)?;
    match medium {
        Medium::DosDisk(layout, _) => {
            return layout.make(&original, image).context("making the disk");
        }
        Medium::SyslinuxDisk(_, ram_disk) | Medium::GrubDisk(_, ram_disk) => {
            let syslinux = matches!(medium, Medium::SyslinuxDisk(..));
            return linux_disk::make(&original, &ram_disk.make()?, syslinux, image)
                .context("making the disk");
        }
        _ => {}
    }
    std::fs::copy(&original, image).with_context(|| original.display().to_string())?;
    if medium.source() == Source::Demo {
        let bytes = match medium {
            Medium::HardDisk(_) => DEMO_DISK_BYTES,
            _ => DEMO_FLOPPY_BYTES,
        };
        std::fs::File::options()
            .write(true)
            .open(image)?
            .set_len(bytes)?;
    }
    Ok(())
}

/// Boots a guest and takes it through its sessions. If it fails, its image stays where it is.
pub fn boot(row: &Row, places: &Places) -> Result<Cost> {
    let folder = cache_folder().join("scratch").join(format!(
        "{}-{}",
        std::process::id(),
        row.name().replace([' ', '/', ','], "-")
    ));
    std::fs::create_dir_all(&folder)?;
    let image = folder.join("image");
    let cost = boot_in(row, places, &image).with_context(|| {
        format!(
            "(its image and what it sent are left in {})",
            folder.display()
        )
    })?;
    std::fs::remove_dir_all(&folder)?;
    Ok(cost)
}

fn boot_in(row: &Row, places: &Places, image: &Path) -> Result<Cost> {
    let guest = &row.guest;
    make_image(&guest.medium, places, image)?;
    let volume = guest.medium.volume();
    let before = if guest.files_change {
        volume.files(image)?
    } else {
        Files::new()
    };
    let mut cost = Cost::default();
    for (i, session) in guest.sessions.iter().enumerate() {
        let spent =
            power_on(row, places, image, session).with_context(|| format!("session {}", i + 1))?;
        cost.host_seconds += spent.host_seconds;
        cost.insns += spent.insns;
    }
    if guest.files_change {
        volume.check(image)?;
        let wanted = dos::files_afterwards(&before);
        let found = volume.files(image)?;
        let differ = differences(&wanted, &found);
        ensure!(
            differ.is_empty(),
            "the disk is not as it should be: {differ:?}"
        );
    }
    Ok(cost)
}

/// The names of files that only one side has, or that differ.
fn differences<'a>(wanted: &'a Files, found: &'a Files) -> Vec<&'a str> {
    let all = wanted.keys().chain(found.keys());
    let mut names: Vec<&str> = all
        .filter(|name| wanted.get(*name) != found.get(*name))
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// `--serial` with what a guest sends kept beside its image, for whoever looks at a failure.
fn serial_file(image: &Path) -> OsString {
    let mut word = OsString::from("file=");
    word.push(image.with_extension("serial"));
    word
}

/// One session, from power-on to its last step.
fn power_on(row: &Row, places: &Places, image: &Path, steps: &[Step]) -> Result<Cost> {
    let guest = &row.guest;
    let stats = image.with_extension("json");
    let mut options: Vec<OsString> = row.firmware.options()?;
    for step in steps {
        let (option, text) = match step {
            Step::Expect(text) => ("--expect-screen", text.as_str()),
            Step::Type(text) => ("--type", text.as_str()),
            Step::Receive(text) => ("--expect-serial", text.as_str()),
            Step::PowerOff => ("--expect-serial", NEVER_SENT),
        };
        options.push(option.into());
        options.push(text.into());
    }
    if let Some(ram_disk) = guest.medium.initrd() {
        let file = image.with_extension("initrd");
        std::fs::write(&file, ram_disk.make()?)?;
        options.extend(["--initrd".into(), file.into()]);
    }
    let started = Instant::now();
    let out = Command::new(&places.boxwood)
        .args(["run", "--display", "none", "--mem", guest.memory])
        .args(["--ips", guest.rate, "--timeout-insns", guest.limit_insns])
        .args(["--timeout", HOST_LIMIT_SECONDS])
        .args(guest.medium.options()?)
        .arg(image)
        .arg("--stats")
        .arg(&stats)
        .arg("--serial")
        .arg(serial_file(image))
        .args(options)
        .output()
        .context("boxwood cannot be run")?;
    let host_seconds = started.elapsed().as_secs_f64();
    let powers_off = steps.last() == Some(&Step::PowerOff);
    let complaint = String::from_utf8_lossy(&out.stderr);
    let as_wanted = if powers_off {
        out.status.code() == Some(ENDED_EARLY) && complaint.contains(SWITCHED_OFF)
    } else {
        out.status.success()
    };
    if !as_wanted {
        bail!("{} after {host_seconds:.0} s\n{complaint}", out.status,);
    }
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&stats)?)?;
    let insns = json["insns"]["total"]
        .as_u64()
        .context("the statistics have no count of instructions")?;
    Ok(Cost {
        host_seconds,
        insns,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_missing_new_or_changed_are_named() {
        let files = |list: &[(&str, &str)]| -> Files {
            let pairs = list
                .iter()
                .map(|(n, c)| (n.to_string(), c.as_bytes().to_vec()));
            pairs.collect()
        };
        let a = files(&[("A", "1"), ("B", "2"), ("C", "3")]);
        let b = files(&[("B", "2"), ("C", "4"), ("D", "5")]);
        assert_eq!(differences(&a, &b), ["A", "C", "D"]);
        assert!(differences(&a, &a).is_empty());
    }
}
