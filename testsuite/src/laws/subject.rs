//! Machines to be compared: each with media of its own, each fed the same keys.

use super::guest::Guest;
use super::recording::Recording;
use crate::guests::cache_folder;
use anyhow::{Context, Result, bail};
use cpu::{CpuModel, Interpreter};
use emu_core::backend::CpuId;
use emu_core::probe::{Probe, Watched};
use machine::boards::{self, Hosts};
use machine::spec::{BootDevice, MachineSpec, MediumSource, RomSource};
use machine::{ClockMode, Machine, Stop, Until};
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The media of a machine by the names of their files.
const MEDIA: [&str; 2] = ["a.img", "c.img"];
/// Small, so that a state is compared and saved in milliseconds.
const MEMORY_BYTES: u64 = 4 << 20;

/// The digests of a state's parts, media included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parts(Vec<(String, u128)>);

impl Parts {
    /// The names of the parts that differ.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let differs =
            |(name, hash): &&(String, u128)| !other.0.iter().any(|(n, h)| (n, h) == (name, hash));
        self.0.iter().filter(differs).map(|p| p.0.clone()).collect()
    }
}

/// How a machine is set up and run, apart from what it is.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Flavour {
    pub block_cache: bool,
    pub watch: Watch,
    pub clock: ClockMode,
}

impl Flavour {
    /// As a user runs it.
    pub const PLAIN: Self = Self {
        block_cache: true,
        watch: Watch::Nothing,
        clock: ClockMode::Deterministic,
    };
}

/// What a probe looks at.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Watch {
    /// There is no probe.
    Nothing,
    /// Instructions.
    Instructions,
    /// Loads and stores too.
    Memory,
    /// Loads and stores of these linear addresses, and nothing else.
    Addresses(u64, u64),
}

/// Looks and does nothing.
struct Onlooker(Watch);

impl Probe for Onlooker {
    fn wants_execute(&self) -> bool {
        matches!(self.0, Watch::Instructions | Watch::Memory)
    }
    fn watched(&self) -> Watched {
        match self.0 {
            Watch::Memory => Watched::Everything,
            Watch::Addresses(first, last) => Watched::Addresses(first, last),
            Watch::Nothing | Watch::Instructions => Watched::Nothing,
        }
    }
}

/// Builds machines of one guest.
pub struct Bench {
    guest: &'static Guest,
    /// Pristine copies of the media.
    originals: PathBuf,
    ips: u64,
}

impl Bench {
    /// Prepares the guest's media.
    pub fn new(guest: &'static Guest, images: Option<&Path>, ips: u64) -> Result<Self> {
        for file in guest.firmware.iter().flatten() {
            if !Path::new(file).exists() {
                bail!("{file} is not here: apt-get install seabios");
            }
        }
        let originals = scratch_folder()?;
        let floppy = match (guest.image, images) {
            (None, _) => demo_disk::image().to_vec(),
            (Some(name), Some(folder)) => {
                let path = folder.join(name);
                std::fs::read(&path).with_context(|| path.display().to_string())?
            }
            (Some(name), None) => bail!("name the folder that has {name} with --images"),
        };
        std::fs::write(originals.join(MEDIA[0]), floppy)?;
        std::fs::write(originals.join(MEDIA[1]), empty_hard_disk())?;
        Ok(Self {
            guest,
            originals,
            ips,
        })
    }

    /// The guest.
    pub fn guest(&self) -> &'static Guest {
        self.guest
    }

    /// The image in drive A: before the machine was switched on.
    pub fn floppy(&self) -> PathBuf {
        self.originals.join(MEDIA[0])
    }

    /// A machine that was just switched on, with copies of the original media.
    pub fn power_on(&self, flavour: Flavour) -> Result<Subject> {
        self.build(flavour, &self.originals)
    }

    /// A fresh machine in the state of another one, with copies of its media as they are, and the keys to come.
    pub fn restored(&self, from: &Subject, recording: &Recording) -> Result<Subject> {
        let file = from.machine.save()?;
        let mut subject = self.build(from.flavour, &from.folder)?;
        subject.machine.restore(&file)?;
        recording.schedule(&mut subject.machine);
        Ok(subject)
    }

    fn build(&self, flavour: Flavour, media: &Path) -> Result<Subject> {
        let folder = scratch_folder()?;
        let medium = |name: &str| {
            std::fs::copy(media.join(name), folder.join(name))?;
            Ok::<_, std::io::Error>(MediumSource::File {
                path: folder.join(name),
                read_only: false,
                snapshot: false,
            })
        };
        let mut spec = MachineSpec {
            memory_bytes: MEMORY_BYTES,
            floppies: [Some(medium(MEDIA[0])?), None],
            disks: vec![medium(MEDIA[1])?],
            boot: vec![BootDevice::Floppy],
            insns_per_second: self.ips,
            ..MachineSpec::default()
        };
        if let Some([bios, vgabios]) = self.guest.firmware {
            spec.bios = RomSource::File(bios.into());
            spec.vgabios = RomSource::File(vgabios.into());
        }
        let model = CpuModel::by_name(&spec.cpu).context("the default CPU model")?;
        let (board, identities) = boards::build_board(&spec, Hosts::default())?;
        let mut cpu = Interpreter::new(CpuId(0), model);
        cpu.set_block_cache(flavour.block_cache);
        let mut machine = Machine::new(board, Box::new(cpu), model.name);
        // By name only: a copy of a medium is the same medium.
        let identities = identities.into_iter().map(|mut i| {
            i.medium.clear();
            i
        });
        machine.set_media(identities.collect());
        machine.set_clock(flavour.clock);
        Ok(Subject {
            machine,
            flavour,
            folder,
        })
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.originals);
    }
}

/// A machine with its media.
pub struct Subject {
    pub machine: Machine,
    flavour: Flavour,
    folder: PathBuf,
}

impl Subject {
    /// Runs on until so many instructions have retired since power-on.
    pub fn run_to(&mut self, insns: u64) -> Result<()> {
        match self.run(Until::insns(insns)) {
            Stop::Insns => Ok(()),
            other => bail!(
                "the machine stopped at instruction {} before {insns}: {other:?}",
                self.machine.insns()
            ),
        }
    }

    /// Runs on.
    pub fn run(&mut self, until: Until) -> Stop {
        match self.flavour.watch {
            Watch::Nothing => self.machine.run(until, None),
            watch => self.machine.run(until, Some(&mut Onlooker(watch))),
        }
    }

    /// The state and the media.
    pub fn parts(&self) -> Result<Parts> {
        let parts = self.machine.state_parts()?;
        let mut parts: Vec<(String, u128)> = parts.into_iter().map(|p| (p.name, p.hash)).collect();
        for name in MEDIA {
            let mut hash = std::hash::DefaultHasher::new();
            hash.write(&std::fs::read(self.folder.join(name))?);
            parts.push((format!("medium:{name}"), hash.finish().into()));
        }
        Ok(Parts(parts))
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A folder of its own for each machine.
pub fn scratch_folder() -> Result<PathBuf> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("laws-{}-{n}", std::process::id());
    let folder = cache_folder().join("scratch").join(name);
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}

/// 4 MiB with one partition that holds an empty FAT12 file system.
fn empty_hard_disk() -> Vec<u8> {
    const SECTORS: u32 = 8192;
    const START: u32 = 63;
    const SECTORS_PER_FAT: u16 = 6;
    let mut disk = vec![0; SECTORS as usize * 512];
    let mut put = |at: u32, bytes: &[u8]| {
        let at = at as usize;
        disk[at..at + bytes.len()].copy_from_slice(bytes);
    };
    // The partition table: FAT12, from head 1 of cylinder 0 on.
    put(446, &[0x80, 1, 1, 0, 0x01, 15, 63, 8]);
    put(454, &START.to_le_bytes());
    put(458, &(SECTORS - START).to_le_bytes());
    put(510, &[0x55, 0xAA]);
    // The BIOS parameter block (FAT specification, section 3).
    let boot = START * 512;
    put(boot, &[0xEB, 0x3C, 0x90]);
    put(boot + 3, b"BOXWOOD ");
    put(boot + 11, &512u16.to_le_bytes());
    put(boot + 13, &[4]);
    put(boot + 14, &1u16.to_le_bytes());
    put(boot + 16, &[2]);
    put(boot + 17, &512u16.to_le_bytes());
    put(boot + 19, &((SECTORS - START) as u16).to_le_bytes());
    put(boot + 21, &[0xF8]);
    put(boot + 22, &SECTORS_PER_FAT.to_le_bytes());
    put(boot + 24, &63u16.to_le_bytes());
    put(boot + 26, &16u16.to_le_bytes());
    put(boot + 28, &START.to_le_bytes());
    put(boot + 36, &[0x80, 0, 0x29, 1, 2, 3, 4]);
    put(boot + 43, b"LAWS       FAT12   ");
    put(boot + 510, &[0x55, 0xAA]);
    for fat in 0..2 {
        let at = boot + (1 + fat * u32::from(SECTORS_PER_FAT)) * 512;
        put(at, &[0xF8, 0xFF, 0xFF]);
    }
    disk
}
