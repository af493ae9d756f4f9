//! Machines to be compared: each with media of its own, each fed the same keys.

use super::guest::{Guest, Step};
use super::named::Named;
use super::recording::Recording;
use crate::guests::cache_folder;
use anyhow::{Context, Result, bail};
use cpu::{CpuModel, Interpreter, Tuning};
use emu_core::backend::CpuId;
use emu_core::probe::{Probe, Watched};
use machine::boards::{self, Hosts};
use machine::spec::{BootDevice, MachineSpec, MediumSource, RomSource};
use machine::{ClockMode, Machine, Stop, Until};
use std::fs::File;
use std::hash::Hasher;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The file of the medium in drive A:.
const FLOPPY: &str = "a.img";
/// Those of the hard disks.
const DISKS: [&str; 3] = ["c.img", "d.img", "e.img"];
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
    pub tuning: Tuning,
    pub watch: Watch,
    pub clock: ClockMode,
}

impl Flavour {
    /// As a user runs it.
    pub const PLAIN: Self = Self {
        tuning: Tuning::FAST,
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
    /// All but the media.
    spec: MachineSpec,
    /// The files of the media.
    media: Vec<&'static str>,
    /// Pristine copies of them.
    originals: PathBuf,
    steps: &'static [Step],
    /// The machine at the instruction at which it is to begin, saved, if that is not its first.
    saved: Option<(u64, Vec<u8>)>,
}

impl Bench {
    /// Prepares the guest's media.
    pub fn new(guest: &'static Guest, images: Option<&Path>, ips: u64) -> Result<Self> {
        for file in guest.firmware.iter().flatten() {
            if !Path::new(file).exists() {
                bail!("{file} is not here: apt-get install seabios");
            }
        }
        let floppy = match (guest.image, images) {
            (None, _) => demo_disk::image().to_vec(),
            (Some(name), Some(folder)) => {
                let path = folder.join(name);
                std::fs::read(&path).with_context(|| path.display().to_string())?
            }
            (Some(name), None) => bail!("name the folder that has {name} with --images"),
        };
        let originals = scratch_folder()?;
        std::fs::write(originals.join(FLOPPY), floppy)?;
        std::fs::write(originals.join(DISKS[0]), empty_hard_disk())?;
        let mut spec = MachineSpec {
            memory_bytes: MEMORY_BYTES,
            boot: vec![BootDevice::Floppy],
            insns_per_second: ips,
            ..MachineSpec::default()
        };
        if let Some([bios, vgabios]) = guest.firmware {
            spec.bios = RomSource::File(bios.into());
            spec.vgabios = RomSource::File(vgabios.into());
        }
        Ok(Self {
            spec,
            media: vec![FLOPPY, DISKS[0]],
            originals,
            steps: guest.steps,
            saved: None,
        })
    }

    /// Prepares a guest that the user names. It is left to itself.
    pub fn of_user(named: &Named, ips: Option<u64>) -> Result<Self> {
        let spec = named.spec(ips)?;
        let originals = scratch_folder()?;
        let disks = named.disk.iter().zip(DISKS);
        let mut media = Vec::new();
        for (path, name) in named.floppy.iter().map(|p| (p, FLOPPY)).chain(disks) {
            copy(path, &originals.join(name)).with_context(|| path.display().to_string())?;
            media.push(name);
        }
        let mut bench = Self {
            spec,
            media,
            originals,
            steps: &[],
            saved: None,
        };
        if let Some(insns) = named.from {
            let mut subject = bench.power_on(Flavour::PLAIN)?;
            subject.run_to(insns)?;
            for name in &bench.media {
                copy(&subject.folder.join(name), &bench.originals.join(name))?;
            }
            bench.saved = Some((insns, subject.machine.save()?));
        }
        Ok(bench)
    }

    /// The instruction at which a machine begins.
    pub fn begins_at(&self) -> u64 {
        self.saved.as_ref().map_or(0, |saved| saved.0)
    }

    /// What is done with the guest.
    pub fn steps(&self) -> &'static [Step] {
        self.steps
    }

    /// What the machine is, but for its media.
    pub fn spec(&self) -> &MachineSpec {
        &self.spec
    }

    /// The image in drive A: before the machine was switched on.
    pub fn floppy(&self) -> PathBuf {
        self.originals.join(FLOPPY)
    }

    /// A machine that was just switched on, or is where it is to begin, with copies of the original media.
    pub fn power_on(&self, flavour: Flavour) -> Result<Subject> {
        let mut subject = self.build(flavour, &self.originals)?;
        if let Some((_, file)) = &self.saved {
            subject.machine.restore(file)?;
        }
        Ok(subject)
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
            copy(&media.join(name), &folder.join(name))?;
            Ok::<_, std::io::Error>(MediumSource::File {
                path: folder.join(name),
                read_only: false,
                snapshot: false,
            })
        };
        let mut spec = self.spec.clone();
        for &name in &self.media {
            match name {
                FLOPPY => spec.floppies[0] = Some(medium(name)?),
                _ => spec.disks.push(medium(name)?),
            }
        }
        let model = CpuModel::named(&spec.cpu)?;
        let (board, identities) = boards::build_board(&spec, Hosts::default())?;
        let mut cpu = Interpreter::new(CpuId(0), model);
        cpu.tune(flavour.tuning);
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
            media: self.media.clone(),
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
    media: Vec<&'static str>,
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

    /// The digest of the CPU's state alone: registers, and whatever else of it a snapshot holds.
    pub fn cpu(&self) -> Result<u64> {
        let mut hash = HashWriter::default();
        serde_json::to_writer(&mut hash, &self.machine.cpu_state())?;
        Ok(hash.0.finish())
    }

    /// The state and the media.
    pub fn parts(&self) -> Result<Parts> {
        let parts = self.machine.state_parts()?;
        let mut parts: Vec<(String, u128)> = parts.into_iter().map(|p| (p.name, p.hash)).collect();
        for name in &self.media {
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

/// Hashes what is written to it.
#[derive(Default)]
struct HashWriter(std::hash::DefaultHasher);

impl Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Copies a medium: a file that may be written, whatever it is copied from.
fn copy(from: &Path, to: &Path) -> std::io::Result<u64> {
    std::io::copy(&mut File::open(from)?, &mut File::create(to)?)
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
